"""The messages that Longshore sends to the targets of webhooks, in the API description."""

from collections.abc import Iterator
from typing import Any

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiResponse,
    OpenApiWebhook,
    inline_serializer,
)
from rest_framework import serializers

from batches.lifecycle.representation import BatchEventDataSerializer
from exports.lifecycle.representation import ExportEventDataSerializer
from longshore.api.openapi import extend_schema
from webhooks.api.documentation import WEBHOOKS
from webhooks.api.examples import EVENT
from webhooks.api.serializers import DataField
from webhooks.events import EventType

_DATA: dict[str, serializers.Field[Any, Any, Any, Any]] = {
    "export": ExportEventDataSerializer(),
    "batch": BatchEventDataSerializer(),
    "webhook": DataField(),
}
_RESPONSES = {
    "2XX": "The delivery has succeeded.",
    "410": "Longshore disables the subscription.",
    "429": "Longshore tries again, after `Retry-After`.",
    "503": "Longshore tries again, after `Retry-After`.",
    "default": "Longshore tries again: up to 10 attempts over three days.",
}
_EXAMPLE = OpenApiExample(
    "A completed export",
    value={
        "id": EVENT["id"],
        "type": EVENT["type"],
        "timestamp": EVENT["created_at"],
        "data": EVENT["data"],
    },
    # drf-spectacular describes the message that the API sends as a response.
    response_only=True,
)
_HEADERS = {
    "webhook-id": "The id of the event, the same for each attempt.",
    "webhook-timestamp": "The time of this attempt, in seconds since 1970.",
    "webhook-signature": "`v1,` and the Base64 of an HMAC-SHA256 of the id, the timestamp and the "
    "raw body, joined by dots; during a rotation of the secret two signatures, separated by a "
    "space.",
}


def _messages() -> Iterator[OpenApiWebhook]:
    for kind, data in _DATA.items():
        types = [each for each in EventType if each.partition(".")[0] == kind]
        fields: dict[str, serializers.Field[Any, Any, Any, Any]] = {
            "id": serializers.CharField(),
            "type": serializers.ChoiceField([(each.value, each.label) for each in types]),
            "timestamp": serializers.DateTimeField(help_text="Time of the event."),
            "data": data,
        }
        body = inline_serializer(f"{kind.capitalize()}Message", fields)
        for event_type in types:
            yield OpenApiWebhook(
                event_type.value,
                extend_schema(
                    operation_id=f"receive_{event_type.value.replace('.', '_')}",
                    tags=[WEBHOOKS],
                    summary=event_type.value,
                    description=event_type.label,
                    request=body,
                    responses={
                        status: OpenApiResponse(description=text)
                        for status, text in _RESPONSES.items()
                    },
                    examples=[_EXAMPLE] if event_type == EVENT["type"] else [],
                ),
            )


# In the setting WEBHOOKS of drf-spectacular.
MESSAGES = list(_messages())


def add_headers(
    result: dict[str, Any], generator: Any, request: Any, public: bool
) -> dict[str, Any]:
    """Describe the headers of the messages (a postprocessing hook): the library cannot."""
    for message in result.get("webhooks", {}).values():
        message["post"]["parameters"] = [
            {
                "name": name,
                "in": "header",
                "required": True,
                "schema": {"type": "string"},
                "description": text,
            }
            for name, text in _HEADERS.items()
        ]
    return result
