"""Parses the body of a request into an export specification."""
