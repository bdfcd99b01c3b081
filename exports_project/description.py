"""Settings of drf-spectacular: title, introduction and tags of the API description."""

from typing import Any

_INTRODUCTION = """
Longshore exports data in bulk from a database. Create an export with one request, poll its
progress, and download the file from a short-lived link. The same filters list records in pages.

## Authentication

Every request needs an API key. A key belongs to one organization and has no access to the data of
others:

```
PX-API-KEY: Zx81kQ3a.9nB7…
```

`X-API-KEY: Zx81kQ3a.9nB7…` and `Authorization: Bearer Zx81kQ3a.9nB7…` are equivalent. A key has
the scopes `read` and `write`. Requests that change something need `write`, all others need `read`.
On the page `/docs`, press **Authorize** to try requests. The code samples read the address of the
server, the API key and the id of an object from the environment variables `BASE`, `KEY` and `ID`.

## Export in three steps

1. `POST /v1/exports` creates an export. `POST /v1/exports/preview` shows its first rows: it accepts
   the same body.
2. `GET /v1/exports/{id}` until `status` is `completed`.
3. `GET` its `download_url`.

## Filters

`GET /v1/resources/{name}` lists the columns and the operators of each. A filter is the name of a
column with one value (`delivered`), several values (`delivered,completed`), or `operator:value`:

| operators | columns | example |
|---|---|---|
| `equals` `not_equals` `in` `not_in` | all | `in:fedex,ups` |
| `gt` `gte` `lt` `lte` | numbers, dates, JSON keys | `gte:2024-12-01` |
| `bwi` `bwe` | numbers, dates, JSON keys | `bwi:2024-12-01,2024-12-31` |
| `is_null` `is_not_null` | all | `is_null` |

`bwi` includes both ends, `bwe` excludes them.

A date is an ISO date, an ISO datetime with or without an offset, or an epoch in seconds or
milliseconds. It stands for the whole of its smallest unit: `lte:2024-12-31` includes that day. A
date without an offset is in the `timezone` of the request, by default that of the organization. Put
a value that contains a comma in double quotes. `metadata.<key>` filters by a value inside JSON at
any depth, `location.name` by a column of a related record, and `search` by words.

## Lists

Every list is `{next, previous, results}`: links to the next and the previous page, and the records
of this page. `limit` is the size of a page, from 1 to 100. The trailing slash of a URL is optional.

## Errors

Every error is `{error, message, details}`: a code from a closed list, a sentence for people, and
structured details. For invalid input, `details.problems` lists all problems at once, each with its
field, its value and the accepted values.
"""

SETTINGS: dict[str, Any] = {
    "TITLE": "Longshore API",
    "VERSION": "1",
    "DESCRIPTION": _INTRODUCTION.strip(),
    "OAS_VERSION": "3.1.0",
    "LICENSE": {"name": "MIT", "identifier": "MIT"},
    "TAGS": [
        {
            "name": "Overview",
            "description": "The addresses of the API, and the limits of the organization.",
        },
        {"name": "Exports", "description": "Create exports, poll them, download their files."},
        {
            "name": "Batches",
            "description": "Create, update, replace or delete records in bulk, and undo it.",
        },
        {"name": "Webhooks", "description": "Subscribe to events instead of polling."},
        {"name": "Events", "description": "The event log."},
        {"name": "Resources", "description": "The resources, their columns, filters and includes."},
        {"name": "Records", "description": "The records of each resource, in pages."},
    ],
    "SCHEMA_PATH_PREFIX": "/v1",
    # Relative to the address of the description: clients of any installation get its own server.
    "SERVERS": [{"url": "/", "description": "The server of this description."}],
    "WEBHOOKS": "exports_project.webhook_messages.MESSAGES",
    "PREPROCESSING_HOOKS": [
        "exports_project.docs.keep_one_api",
        "exports_project.docs.remove_slashes",
        "longshore.api.openapi.order_endpoints",
    ],
    "POSTPROCESSING_HOOKS": [
        "exports_project.docs.remove_empty_enums",
        "drf_spectacular.hooks.postprocess_schema_enums",
        "longshore.api.openapi.share_responses",
        "longshore.api.openapi.describe_rate_limits",
        "longshore.api.openapi.state_public_operations",
        "exports_project.webhook_messages.add_headers",
        "exports_project.code_samples.add_code_samples",
    ],
    # In the order of their declaration.
    "SORT_OPERATIONS": False,
    "SORT_OPERATION_PARAMETERS": False,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "DISABLE_DOCSTRING_DESCRIPTIONS": False,
    "ENUM_NAME_OVERRIDES": {
        "EventTypeEnum": "webhooks.events.EventType",
        "DeliveryStatusEnum": "webhooks.models.DeliveryStatus",
        "StatusEnum": "exports.models.STATUS_CHOICES",
        "BatchStatusEnum": "longshore.jobs.statuses.Status",
        "ColumnTypeEnum": "longshore.resources.api.serializers.COLUMN_TYPES",
        "ExportTypeEnum": "exports.api.request_serializers.TYPES",
        # Of batches. Exports have the same formats, until a module adds one.
        "FormatEnum": ["csv", "json", "jsonl", "xlsx", "parquet"],
    },
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {
        "deepLinking": True,
        "displayRequestDuration": True,
        # With 150 operations in the list, Swagger UI would render only those that it takes to be in
        # view, and it measures that before it shows the description above them.
        "docExpansion": "none",
        # Without the list of all schemas, which takes seconds. Operations show theirs.
        "defaultModelsExpandDepth": -1,
        "filter": True,
        # Do not store the key in the browser.
        "persistAuthorization": False,
        "tryItOutEnabled": True,
    },
}
