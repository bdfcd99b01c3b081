"""Settings of drf-spectacular for the description of the dialect."""

from typing import Any

_INTRODUCTION = """
The API of 29next over Longshore: a client works with this address and an API key of Longshore, as
`Authorization: Bearer <key>`.

1. Subscribe to `export.created`, or poll.
2. `POST /api/admin/exports/` creates an export of a type, for a range of dates. Both ends are
   included.
3. When its status is `available`, `GET /api/admin/exports/{id}/download/` returns a link to the
   file, which works for a few minutes.

Bodies are JSON, form-urlencoded or multipart. Ids are the numbers of the organization. Lists are
`{next, previous, results}`. Errors are `{"detail": …}`, and for bad input the sentences by field:
`{"type": ["…"]}`. The limit is four requests a second for each key; a 429 says in `Retry-After` how
many seconds to wait.

The signature of a webhook is in `X-29Next-Signature`: the HMAC-SHA256 of the body with the secret
of the webhook, in hex.
"""

SETTINGS: dict[str, Any] = {
    "TITLE": "29next API of Longshore",
    "VERSION": "2024-04-01",
    "DESCRIPTION": _INTRODUCTION.strip(),
    "SCHEMA_PATH_PREFIX": "/api/admin",
    "TAGS": [
        {"name": "exports", "description": "Create exports, poll them, download their files."},
        {"name": "webhooks", "description": "Subscribe to events instead of polling."},
    ],
    "WEBHOOKS": [],
    "ENUM_NAME_OVERRIDES": {},
}
