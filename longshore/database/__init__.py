"""Ids, JSON fields, batched deletes and checks of PostgreSQL."""
