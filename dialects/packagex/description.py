"""Settings of drf-spectacular for the description of the dialect."""

from typing import Any

from longshore.resources.api.documentation import RECORDS

_INTRODUCTION = """
The API of PackageX over Longshore: a client works with this address and an API key of Longshore, in
the header `PX-API-KEY` or `X-API-KEY`.

Every response has an envelope: `message`, `data`, `status`, `errors`, `code`, `pagination` and
`endpoint`. A response with one export or batch has the fields of that object beside the envelope,
too, because PackageX documents both; its `status` is then that of the object.

Lists are numbered pages: `page`, from 1, and `limit`, up to 100. `pagination` has the number of all
objects. Every error is `{error, message, details}`; except for exports, the envelope is around it.

A filter is a value, several values separated by commas, or `operator:value`, such as
`created_at=bwi:1732993200000,1734548400000`.
"""

SETTINGS: dict[str, Any] = {
    "TITLE": "PackageX API of Longshore",
    "VERSION": "1",
    "DESCRIPTION": _INTRODUCTION.strip(),
    "SCHEMA_PATH_PREFIX": "/packagex/v1",
    "TAGS": [
        {"name": "Exports", "description": "Create exports, poll them, download their files."},
        {"name": "Batches", "description": "Create, update, replace or delete records in bulk."},
        {"name": "Webhooks", "description": "Subscribe to events instead of polling."},
        {"name": RECORDS, "description": "The records of each resource, in pages."},
    ],
    "WEBHOOKS": [],
    "ENUM_NAME_OVERRIDES": {},
}
