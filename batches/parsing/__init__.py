"""From the input to the staging table: detects formats, decompresses, and copies rows as texts."""
