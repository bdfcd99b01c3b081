"""Runs exports: writes, verifies and previews their files."""
