"""JSON schemas of the documents, as components of the API description."""

from collections.abc import Mapping, Sequence
from typing import Any

from dialects.commercelayer.statuses import STATUSES
from dialects.commercelayer.tokens import SCOPE
from dialects.commercelayer.topics import TOPICS

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_OPTIONAL: Schema = {"type": ["string", "null"]}
_REFERENCE: Schema = {"type": ["string", "null"], "maxLength": 255}
_TIME: Schema = {"type": ["string", "null"], "format": "date-time"}
_LINK: Schema = {"type": ["string", "null"], "format": "uri"}
_COUNT: Schema = {"type": ["integer", "null"]}
_FLAG: Schema = {"type": "boolean"}
_NULLABLE_FLAG: Schema = {"type": ["boolean", "null"]}
_OBJECT: Schema = {"type": "object", "additionalProperties": {}}
_NULLABLE_OBJECT: Schema = {"type": ["object", "null"], "additionalProperties": {}}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_NULLABLE_TEXTS: Schema = {"type": ["array", "null"], "items": _TEXT}
_BASE = {
    "created_at": _TIME,
    "updated_at": _TIME,
    "reference": _OPTIONAL,
    "reference_origin": _OPTIONAL,
    "metadata": _OBJECT,
}
_CLIENT = {
    "reference": _REFERENCE,
    "reference_origin": _REFERENCE,
    "metadata": _NULLABLE_OBJECT,
}
_STATUS: Schema = {"type": "string", "enum": [*STATUSES]}
_FORMAT: Schema = {"type": ["string", "null"], "enum": ["json", "csv", None]}

# The attributes that responses have, by type.
ATTRIBUTES: Mapping[str, Mapping[str, Schema]] = {
    "exports": {
        "resource_type": _TEXT,
        "format": _TEXT,
        "status": _STATUS,
        "includes": _TEXTS,
        "fields": _TEXTS,
        "filters": _OBJECT,
        "dry_data": _FLAG,
        "jwt_filters": _FLAG,
        "started_at": _TIME,
        "completed_at": _TIME,
        "estimated_completion_at": _TIME,
        "interrupted_at": _TIME,
        "records_count": _COUNT,
        "processed_count": _COUNT,
        "progress": _COUNT,
        "attachment_url": _LINK,
        "errors_log": _OBJECT,
        **_BASE,
    },
    "imports": {
        "resource_type": _TEXT,
        "format": _OPTIONAL,
        "parent_resource_id": _OPTIONAL,
        "status": _STATUS,
        "started_at": _TIME,
        "completed_at": _TIME,
        "interrupted_at": _TIME,
        "inputs": {"type": "array", "items": _OBJECT, "description": "Always empty."},
        "inputs_size": _COUNT,
        "errors_count": _COUNT,
        "warnings_count": _COUNT,
        "processed_count": _COUNT,
        "errors_log": _OBJECT,
        "warnings_log": _OBJECT,
        "skip_errors": _FLAG,
        "attachment_url": _LINK,
        **_BASE,
    },
    "webhooks": {
        "name": _TEXT,
        "topic": {"type": "string", "enum": [*TOPICS]},
        "callback_url": {"type": "string", "format": "uri"},
        "include_resources": _TEXTS,
        "disabled_at": _TIME,
        "circuit_state": {"type": "string", "enum": ["closed", "open"]},
        "circuit_failure_count": {"type": "integer"},
        "shared_secret": _OPTIONAL,
        **_BASE,
    },
    "events": {"name": {"type": "string", "enum": [*TOPICS]}, **_BASE},
    "event_callbacks": {
        "callback_url": {"type": "string", "format": "uri"},
        "payload": _OBJECT,
        "response_code": _OPTIONAL,
        "response_message": _OPTIONAL,
        **_BASE,
    },
    "applications": {
        "name": _TEXT,
        "kind": _TEXT,
        "public_access": _FLAG,
        "client_id": _TEXT,
        "scopes": _TEXT,
        **_BASE,
    },
}
_EXPORT: dict[str, Schema] = {
    "resource_type": _TEXT,
    "format": _FORMAT,
    "includes": _NULLABLE_TEXTS,
    "fields": _NULLABLE_TEXTS,
    "filters": _NULLABLE_OBJECT,
    "dry_data": _NULLABLE_FLAG,
    "jwt_filters": _NULLABLE_FLAG,
    **_CLIENT,
}
_IMPORT: dict[str, Schema] = {
    "resource_type": _TEXT,
    "format": _FORMAT,
    "parent_resource_id": _OPTIONAL,
    "inputs": {
        "oneOf": [
            {"type": "array", "items": _OBJECT, "minItems": 1},
            {"type": "string", "minLength": 1},
        ],
        "description": "Records as JSON, or one text of CSV with a header.",
    },
    "skip_errors": _NULLABLE_FLAG,
    **_CLIENT,
}
_WEBHOOK: dict[str, Schema] = {
    "name": {"type": ["string", "null"], "maxLength": 200},
    "topic": {"type": "string", "enum": [*TOPICS]},
    "callback_url": {"type": "string", "format": "uri"},
    "include_resources": {"type": ["array", "null"], "items": _TEXT, "maxItems": 0},
    "_enable": _NULLABLE_FLAG,
    "_disable": _NULLABLE_FLAG,
    **_CLIENT,
}
# The attributes of requests, and those that are required, by the name of the schema.
_REQUESTS: Mapping[str, tuple[str, Mapping[str, Schema], Sequence[str]]] = {
    "exportCreate": ("exports", _EXPORT, ("resource_type",)),
    "exportUpdate": (
        "exports",
        {"_start": _NULLABLE_FLAG, "_interrupt": _NULLABLE_FLAG, **_CLIENT},
        (),
    ),
    "importCreate": ("imports", _IMPORT, ("resource_type", "inputs")),
    "importUpdate": ("imports", {"_interrupt": _NULLABLE_FLAG, **_CLIENT}, ()),
    "webhookCreate": ("webhooks", _WEBHOOK, ("topic", "callback_url")),
    "webhookUpdate": ("webhooks", {**_WEBHOOK, "_reset_circuit": _NULLABLE_FLAG}, ()),
}


def _of(properties: Mapping[str, Schema], required: Sequence[str] | None = None) -> Schema:
    names = list(properties) if required is None else list(required)
    return {"type": "object", "properties": dict(properties), "required": names}


def _links(*names: str) -> Schema:
    return _of({name: {"type": "string", "format": "uri"} for name in names}, names[:1])


_IDENTIFIER = _of({"type": _TEXT, "id": _TEXT})
_RELATIONSHIP = _of(
    {
        "links": _links("self", "related"),
        "data": {"type": "array", "items": _IDENTIFIER},
    },
    ["links"],
)
_META = _of({"mode": {"const": "live"}})


def _object(name: str) -> Schema:
    """Return the schema of an object of a type. `fields` may leave out any attribute."""
    return _of(
        {
            "id": _TEXT,
            "type": {"const": name},
            "links": _links("self"),
            "attributes": _of(ATTRIBUTES[name], []),
            "relationships": {"type": "object", "additionalProperties": _RELATIONSHIP},
            "meta": _META,
        }
    )


_INCLUDED: Schema = {"type": "array", "items": _OBJECT}


def _document(name: str) -> Schema:
    return _of({"data": ref(name), "included": _INCLUDED}, ["data"])


def _list(name: str) -> Schema:
    counts = {name: {"type": "integer"} for name in ("record_count", "page_count")}
    links = _of(
        {each: {"type": "string", "format": "uri"} for each in ("first", "last", "prev", "next")},
        ["first", "last"],
    )
    return _of(
        {
            "data": {"type": "array", "items": ref(name)},
            "meta": _of(counts),
            "links": links,
            "included": _INCLUDED,
        },
        ["data", "meta", "links"],
    )


def _request(name: str) -> Schema:
    type, attributes, required = _REQUESTS[name]
    members = {"type": {"const": type}, "attributes": _of(attributes, required)}
    if name.endswith("Update"):
        members = {"type": {"const": type}, "id": _TEXT, "attributes": _of(attributes, [])}
    members["attributes"]["additionalProperties"] = False
    return _of({"data": _of(members)})


def ref(name: str) -> Schema:
    """Return a reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


_ERROR = _of(
    {
        "title": _TEXT,
        "detail": _TEXT,
        "code": _TEXT,
        "status": _TEXT,
        "source": _of({"pointer": _TEXT, "parameter": _TEXT}, []),
        "meta": _of({"error": _TEXT, "value": {}, "count": _COUNT, "accepted": {}}, []),
    },
    ["title", "detail", "code", "status"],
)
COMPONENTS: Mapping[str, Schema] = {
    **{name: _object(name) for name in ATTRIBUTES},
    **{f"{name}Document": _document(name) for name in ATTRIBUTES},
    **{f"{name}List": _list(name) for name in ATTRIBUTES if name != "applications"},
    **{name: _request(name) for name in _REQUESTS},
    "errors": _of({"errors": {"type": "array", "items": _ERROR, "minItems": 1}}),
    "tokenRequest": _of(
        {
            "grant_type": {"const": "client_credentials"},
            "client_id": {**_TEXT, "description": "The part of an API key before the dot."},
            "client_secret": {**_TEXT, "description": "The whole API key."},
            "scope": {"oneOf": [{"const": SCOPE}, {"type": "null"}]},
        },
        ["grant_type", "client_id", "client_secret"],
    ),
    "token": _of(
        {
            "access_token": _TEXT,
            "token_type": {"const": "Bearer"},
            "expires_in": {"type": "integer", "description": "In seconds."},
            "scope": {"const": SCOPE},
            "created_at": {"type": "integer", "description": "In seconds since the epoch."},
        }
    ),
    "tokenError": _of({"error": _TEXT, "error_description": _TEXT, "errors": {"type": "array"}}),
}
