"""The bodies of requests about subscriptions, as the API's description has them.

`webhooks.parsing` reads them, and says more than a schema could of what is wrong.
"""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from webhooks.events import EVERY, EventType
from webhooks.parsing import MAX_HEADER_CHARACTERS, MAX_HEADERS, MAX_NAME_CHARACTERS, SECRET

_TYPE = {"type": "string", "enum": EventType.values}


@extend_schema_field(
    {
        "oneOf": [
            {"type": "array", "items": _TYPE, "minItems": 1},
            {"type": "array", "items": {"const": EVERY}, "minItems": 1, "maxItems": 1},
            {"const": EVERY},
        ]
    }
)
class TypesField(serializers.JSONField):
    """Types of events, or `*`."""


@extend_schema_field(
    {
        "type": "object",
        "maxProperties": MAX_HEADERS,
        "additionalProperties": {"type": ["string", "null"], "maxLength": MAX_HEADER_CHARACTERS},
    }
)
class HeadersField(serializers.JSONField):
    """Names and values."""


class SubscriptionChangeSerializer(serializers.Serializer[Any]):
    """What may be changed of a subscription."""

    target = serializers.URLField(required=False, help_text="Where to send: a public https:// URL.")
    events = TypesField(required=False, help_text="What to tell of.")
    resources = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Only of exports of these resources; of all by default, or for an empty list.",
    )
    types = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Only of exports of these types; of all by default, or for an empty list.",
    )
    name = serializers.CharField(required=False, allow_blank=True, max_length=MAX_NAME_CHARACTERS)
    active = serializers.BooleanField(required=False, help_text="Whether to send at all.")
    headers = HeadersField(
        required=False,
        help_text="Sent with every delivery. Nobody is shown the values again. In a change, the "
        "others stay, and one that is null goes.",
    )


class SubscriptionRequestSerializer(SubscriptionChangeSerializer):
    """Where to send what."""

    target = serializers.URLField(help_text="Where to send: a public https:// URL.")
    events = TypesField(help_text="What to tell of.")
    secret = serializers.CharField(
        required=False, help_text=f"{SECRET}; one is made by default. Nobody is shown it again."
    )
