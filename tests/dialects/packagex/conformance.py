"""The rows of PackageX. The tests of the dialect state which of them they prove."""

from tests.dialects.conformance import Conformance

AUTHENTICATION = "Authentication"
CREATE = "Exports: creation"
RETRIEVE = "Exports: retrieval"
EXPORT_LIST = "Exports: list"
STATUSES = "Exports: statuses"
EXPORT_ERRORS = "Exports: errors"
BATCH_CREATE = "Batches: creation"
BATCH = "Batches: fields"
BATCH_FILES = "Batches: files"
BATCH_LIST = "Batches: list"
RECORDS = "Records: lists"
FILTERS = "Records: filters and sorting"
CONVENTIONS = "Responses, pages and errors"
WEBHOOKS = "Webhooks"

rows = Conformance(
    AUTHENTICATION,
    CREATE,
    RETRIEVE,
    EXPORT_LIST,
    STATUSES,
    EXPORT_ERRORS,
    BATCH_CREATE,
    BATCH,
    BATCH_FILES,
    BATCH_LIST,
    RECORDS,
    FILTERS,
    CONVENTIONS,
    WEBHOOKS,
)
