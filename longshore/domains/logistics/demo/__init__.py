"""Generates the demo data of the logistics domain."""
