"""Settings of drf-spectacular for the description of the dialect."""

from typing import Any

from dialects.commercelayer.documentation.schemas import COMPONENTS

_INTRODUCTION = """
The API of Commerce Layer over Longshore, as JSON:API: exports, imports and webhooks. A client that
was written for Commerce Layer works with this address.

`POST /oauth/token` exchanges an API key for an access token: `client_id` is the part of the key
before the dot, `client_secret` is the whole key. Send the token as `Authorization: Bearer <token>`.
It expires after `expires_in` seconds, and becomes invalid when its API key is revoked or expires.
An API key itself works, too.

Bodies and responses have the media type `application/vnd.api+json`. `docs/dialects.md` lists what
differs from the vendor's API.
"""

SETTINGS: dict[str, Any] = {
    "TITLE": "Commerce Layer API of Longshore",
    "VERSION": "1",
    "DESCRIPTION": _INTRODUCTION.strip(),
    "SCHEMA_PATH_PREFIX": "/api",
    "TAGS": [
        {"name": "token", "description": "Access tokens."},
        {"name": "exports", "description": "Create exports, poll them, download their files."},
        {"name": "imports", "description": "Create and update records in bulk."},
        {"name": "webhooks", "description": "Be notified instead of polling."},
        {"name": "events", "description": "What has happened to exports and imports."},
        {"name": "event_callbacks", "description": "Deliveries of events to webhooks."},
        {"name": "application", "description": "The API key of the request."},
    ],
    "WEBHOOKS": [],
    "ENUM_NAME_OVERRIDES": {},
    "APPEND_COMPONENTS": {"schemas": dict(COMPONENTS)},
}
