"""Example domains: their models, resources, named exports and demo data."""
