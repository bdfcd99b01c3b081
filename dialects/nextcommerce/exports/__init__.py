"""Exports of the dialect."""
