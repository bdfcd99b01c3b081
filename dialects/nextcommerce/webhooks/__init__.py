"""Webhooks of the dialect."""
