"""The documented parts of 29next's API, as `docs/dialects.md` lists them."""

from tests.dialects.conformance import Conformance

OPERATIONS = "Operations"
CONVENTIONS = "Conventions"
REQUEST = "Exports: the request"
OBJECT = "Exports: the object"
STATUSES = "Exports: statuses"
FILE = "Exports: the file"
LIST = "Exports: the list"
WEBHOOK = "Webhooks: fields"
WEBHOOKS = "Webhooks: the list"
MESSAGES = "Webhooks: messages"

rows = Conformance(
    OPERATIONS,
    CONVENTIONS,
    REQUEST,
    OBJECT,
    STATUSES,
    FILE,
    LIST,
    WEBHOOK,
    WEBHOOKS,
    MESSAGES,
)
