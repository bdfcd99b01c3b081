"""Files: storage, compression, checksums, signed links and text formats."""
