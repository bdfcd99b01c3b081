"""Requests about webhooks: bodies, and the filters of the list."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from dialects.nextcommerce.versions import VERSIONS
from dialects.nextcommerce.webhooks.envelope import NextCommerceEnvelope
from webhooks.models import MAX_NAME_CHARACTERS
from webhooks.targets import InvalidTarget, check_target

MAX_TARGET_CHARACTERS = 255
MAX_SECRET_CHARACTERS = 255


class EventsField(serializers.ListField):
    """A list of events, in the order of their declaration. A form may have one only, as a text."""

    child = serializers.ChoiceField(NextCommerceEnvelope.events)

    def to_internal_value(self, data: Any) -> list[str]:
        chosen = super().to_internal_value([data] if isinstance(data, str) else data)
        return [event for event in NextCommerceEnvelope.events if event in chosen]


@extend_schema_field({"type": ["string", "null"], "enum": [*VERSIONS, None]})
class ApiVersionField(serializers.ChoiceField):
    """A version of the API, or null for the default."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(VERSIONS, **kwargs)


class WebhookRequestSerializer(serializers.Serializer[Any]):
    """The fields of a webhook that a client sets."""

    target = serializers.CharField(
        max_length=MAX_TARGET_CHARACTERS,
        help_text="The URL that receives the events: https:// and a public host.",
    )
    events = EventsField(min_length=1)
    name = serializers.CharField(
        required=False, allow_null=True, allow_blank=True, max_length=MAX_NAME_CHARACTERS
    )
    secret_key = serializers.CharField(
        required=False,
        allow_null=True,
        trim_whitespace=False,
        max_length=MAX_SECRET_CHARACTERS,
        help_text="The signing secret. Null: a random one for a new webhook, else no change.",
    )
    api_version = ApiVersionField(
        required=False, allow_null=True, help_text="Version of the messages."
    )
    active = serializers.BooleanField(required=False)

    def validate_target(self, target: str) -> str:
        try:
            check_target(target)
        except InvalidTarget as error:
            raise serializers.ValidationError(str(error)) from error
        return target

    def values(self) -> dict[str, Any]:
        """Return the fields of the subscription that the request sets."""
        values = dict(self.validated_data)
        if "name" in values:
            values["name"] = values["name"] or ""
        if "api_version" in values:
            values["dialect_fields"] = {"api_version": values.pop("api_version")}
        if "secret_key" in values:
            values["secret"] = values.pop("secret_key")
        return values


class WebhookFiltersSerializer(serializers.Serializer[Any]):
    """The filters of the list of webhooks."""

    name = serializers.CharField(required=False, trim_whitespace=False)
    events = EventsField(required=False, help_text="Webhooks that get one of these events.")
    active = serializers.BooleanField(required=False)
