"""`/api/imports`: batches in the words of the vendor."""
