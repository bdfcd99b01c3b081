"""The description of the API as a whole, in the form of drf-spectacular's settings."""

from typing import Any

_INTRODUCTION = """
Longshore moves data out of a database in bulk. Ask for a file in one request, watch it being
written, and follow a short-lived link to it. The same filters list records page by page.

## Getting in

Every request carries an API key, which belongs to one organization and sees nothing of another:

```
PX-API-KEY: Zx81kQ3a.9nB7…
```

`X-API-KEY: Zx81kQ3a.9nB7…` and `Authorization: Bearer Zx81kQ3a.9nB7…` do the same. A key has the
scopes `read` and `write`; asking for an export needs `write`, everything else here `read`. At
`/docs`, press **Authorize** to try requests.

## A file in three steps

1. `POST /v1/exports` says what to export. Try `POST /v1/exports/preview` first, with the same body.
2. `GET /v1/exports/{id}` until `status` is `completed`.
3. `GET` its `download_url`.

## Filters

`GET /v1/resources/{name}` says what each column takes. A filter is a column's name with a value
(`delivered`), several (`delivered,completed`), or `operator:value`:

| operators | of | |
|---|---|---|
| `equals` `not_equals` `in` `not_in` | everything | `in:fedex,ups` |
| `gt` `gte` `lt` `lte` | numbers, dates, JSON keys | `gte:2024-12-01` |
| `bwi` `bwe` | the same: between, the ends included or not | `bwi:2024-12-01,2024-12-31` |
| `is_null` `is_not_null` | everything | `is_null` |

Dates are ISO dates, ISO datetimes with or without an offset, or an epoch in seconds or
milliseconds. Each stands for the whole unit in which it is written: `lte:2024-12-31` includes that
day. Without an offset they are in the request's `timezone`, else the organization's. A value in
double quotes keeps its commas. `metadata.<key>` looks inside JSON at any depth,
`location.name` at a related record, and `search` for words.

## Lists

Every list is `{next, previous, results}`, with links to the pages beside it, and takes `limit`,
from 1 to 100. Every address works with and without a slash at its end.

## Errors

Every answer that is no success is `{error, message, details}`: a code from a closed list, a
sentence, and what the request got wrong. For bad input, `details.problems` names every
problem at once, each with its field, its value and what would be accepted.
"""

SETTINGS: dict[str, Any] = {
    "TITLE": "Longshore API",
    "VERSION": "1",
    "DESCRIPTION": _INTRODUCTION.strip(),
    "OAS_VERSION": "3.1.0",
    "TAGS": [
        {"name": "Exports", "description": "Files of records: asked for, written, downloaded."},
        {"name": "Webhooks", "description": "Being told of what happens, instead of asking."},
        {"name": "Events", "description": "What has happened."},
        {"name": "Resources", "description": "What there is, and what may be said of it."},
        {"name": "Records", "description": "The records themselves, page by page."},
    ],
    "SCHEMA_PATH_PREFIX": "/v1",
    "PREPROCESSING_HOOKS": [
        "exports_project.docs.without_slash",
        "longshore.api.openapi.order_endpoints",
    ],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "longshore.api.openapi.share_responses",
    ],
    # Each in the order in which it is declared.
    "SORT_OPERATIONS": False,
    "SORT_OPERATION_PARAMETERS": False,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "DISABLE_DOCSTRING_DESCRIPTIONS": False,
    "ENUM_NAME_OVERRIDES": {
        "EventTypeEnum": "webhooks.events.EventType",
        "DeliveryStatusEnum": "webhooks.models.DeliveryStatus",
        "StatusEnum": "exports.models.STATUS_CHOICES",
        "ColumnTypeEnum": "longshore.resources.api.serializers.COLUMN_TYPES",
        "ExportTypeEnum": "exports.api.body.TYPES",
    },
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {
        "deepLinking": True,
        "displayRequestDuration": True,
        "docExpansion": "list",
        "defaultModelsExpandDepth": 0,
        "filter": True,
        # A key must not outlive the page in the browser.
        "persistAuthorization": False,
        "tryItOutEnabled": True,
    },
}
