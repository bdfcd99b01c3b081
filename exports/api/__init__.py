"""The REST API of exports and resources."""
