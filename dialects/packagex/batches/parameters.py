"""The query parameters of batches, and the body of their requests."""

from batches.lifecycle.representation import LINKS
from batches.models import Via
from batches.request.body import BATCH_BODY
from batches.request.parser import writable_resources
from batches.spec import Mode
from dialects.packagex.parameters import boolean, pages
from longshore.api.body.declaration import Body, Boolean, Choice, Custom, FreeObjects
from longshore.jobs.statuses import Status
from longshore.resources.errors import ResourceErrorCode

STATUSES = tuple(str(status.value) for status in Status if status is not Status.CANCELED)
_INVALID = ResourceErrorCode.INVALID_FILTER
PAGE_PARAMETERS = pages(25)
BATCH_PARAMETERS = Body(
    "PackageXBatchList",
    "The parameters of the list of batches.",
    (
        Choice(
            "resource",
            "Batches of this resource.",
            choices=writable_resources,
            code=ResourceErrorCode.INVALID_RESOURCE,
        ),
        Choice("mode", "Batches of this mode.", choices=[*Mode], code=_INVALID),
        Choice("via", "Batches created in this way.", choices=Via.values, code=_INVALID),
        Choice("status", "Batches with this status.", choices=STATUSES, code=_INVALID),
    ),
)
INCLUDES = Body(
    "PackageXBatchIncludes",
    "The links of a batch.",
    tuple(boolean(f"include_{name}", f"Add the link `_{name}_url`.") for name in LINKS),
)
DATA, FILE = "data", "file"
FILE_ACCEPTED = (
    "a CSV or Excel file as a data URL (data:text/csv;base64,…), or the https:// URL of a file on "
    "a public host"
)
# PackageX keeps the files of a batch on request. Longshore keeps them for BATCH_RETENTION_HOURS.
KEEP = (
    Boolean(
        "save_upload", "Accepted. The uploaded file is always kept for a while.", default=False
    ),
    Boolean("save_result", "Accepted. The result is always kept for a while.", default=False),
)
# For the description. `batches.files` reads what the native body does not have.
BATCH_REQUEST = Body(
    "PackageXBatchRequest",
    BATCH_BODY.help_text,
    (
        *(field for field in BATCH_BODY.fields if field.name != DATA),
        Custom(
            DATA,
            "The records as objects of columns, or a file as in `file`.",
            schema={
                "oneOf": [
                    {
                        "type": "array",
                        "items": {"type": "object", "additionalProperties": {}},
                        "minItems": 1,
                    },
                    {"type": "string"},
                ]
            },
            accepts=FreeObjects(DATA).accepted,
        ),
        Custom(FILE, f"{FILE_ACCEPTED}.", schema={"type": "string"}, accepts=FILE_ACCEPTED),
        *KEEP,
    ),
)
