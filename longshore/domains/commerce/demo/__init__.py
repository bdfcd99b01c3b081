"""Generates the demo data of the commerce domain."""
