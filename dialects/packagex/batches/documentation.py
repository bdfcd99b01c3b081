"""The operations on batches in the description of the dialect."""

from drf_spectacular.utils import OpenApiExample

from batches.lifecycle.representation import LINKS
from dialects.packagex import documentation
from dialects.packagex.batches.parameters import (
    BATCH_PARAMETERS,
    BATCH_REQUEST,
    INCLUDES,
    PAGE_PARAMETERS,
    STATUSES,
)
from dialects.packagex.documentation import INTEGER, LINK, STRING, nullable, record
from longshore.api.body.schema import serializer_class

TAG = "Batches"
_EXAMPLE = {
    "mode": "mixed",
    "action": "merge",
    "resource": "contact",
    "data": [{"name": "Jamie Jones", "email": "jamie@example.com"}],
}
_PHASE = record(
    {
        "name": STRING,
        "mode": {**STRING, "enum": ["sync", "async"]},
        "total": nullable(INTEGER),
        "processed": INTEGER,
        "success": INTEGER,
        "error": INTEGER,
    }
)
_STATS = record(dict.fromkeys(("created", "updated", "deleted", "overwritten", "events"), INTEGER))
_BATCH = record(
    {
        "id": STRING,
        "object": STRING,
        "organization_id": STRING,
        "resource": STRING,
        "mode": STRING,
        "via": STRING,
        "action": STRING,
        "status": {**STRING, "enum": list(STATUSES)},
        "duplicate_handling": STRING,
        "reason": STRING,
        "phases": {"type": "array", "items": _PHASE},
        "stats": _STATS,
        "created_at": {**INTEGER, "description": "In seconds since 1970."},
        "updated_at": {**INTEGER, "description": "In seconds since 1970."},
        "updated_by": {"type": "null"},
        "checksum": nullable(STRING),
        "_upload_url": LINK,
    },
    **{f"_{name}_url": LINK for name in LINKS},
)
batches = {
    "list": documentation.operation(
        "batches.list",
        tag=TAG,
        description="List batches. The oldest comes first.",
        response=documentation.enveloped(_BATCH, is_list=True),
        parameters=documentation.parameters_of(BATCH_PARAMETERS, PAGE_PARAMETERS),
    ),
    "create": documentation.operation(
        "batches.create",
        tag=TAG,
        description="Create a batch. It creates, updates, replaces or deletes records. `mode` "
        "decides which phases precede the response.",
        request=serializer_class(BATCH_REQUEST),
        response=documentation.around(_BATCH),
        statuses=(200, 201),
        examples=[OpenApiExample("A contact", value=_EXAMPLE, request_only=True)],
        is_idempotent=True,
    ),
    "retrieve": documentation.operation(
        "batches.retrieve",
        tag=TAG,
        description="Retrieve a batch. The links of its files are added on request.",
        response=documentation.around(_BATCH),
        parameters=documentation.parameters_of(INCLUDES),
        errors=documentation.NOT_FOUND,
    ),
}
