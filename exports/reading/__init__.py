"""Reads compiled statements: the COPY reader, snapshots, partitions, and the bytes of files."""
