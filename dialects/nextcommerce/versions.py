"""Versions of the API, which 29next names by date."""

HEADER = "X-29next-API-Version"
# The version that responses and webhooks have, unless a client asks for another.
VERSION = "2024-04-01"
# Exports and webhooks are the same in each of them.
VERSIONS = ("2023-02-10", VERSION, "unstable")
