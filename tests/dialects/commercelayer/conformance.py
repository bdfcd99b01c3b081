"""What this API has of the vendor's: see `tests.dialects.conformance`."""

from tests.dialects.conformance import Conformance

TOKENS = "Access tokens"
REQUESTS = "Exports: attributes of requests"
RESPONSES = "Exports: attributes of responses"
STATUSES = "Exports: statuses and triggers"
FILES = "Exports: files"
LISTS = "Lists and documents"
ERRORS = "Errors and limits"
IMPORTS = "Imports"
WEBHOOKS = "Webhooks, events and callbacks"
rows = Conformance(TOKENS, REQUESTS, RESPONSES, STATUSES, FILES, LISTS, ERRORS, IMPORTS, WEBHOOKS)
