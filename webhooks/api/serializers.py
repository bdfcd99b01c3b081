"""Subscriptions, events and deliveries as the API shows them.

Only the creation of a subscription and the rotation of its secret show the secret.
"""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from longshore.api.links import absolute
from longshore.api.serializers import ModelSerializer
from webhooks import payloads
from webhooks.events import EventType
from webhooks.models import (
    MAX_SHOWN_ATTEMPTS,
    Attempt,
    Delivery,
    Event,
    Subscription,
    Verification,
)


class SubscriptionSerializer(ModelSerializer[Subscription]):
    """A subscription to events. Links are absolute for the request in the context."""

    id = serializers.CharField(source="public_id")
    object = serializers.SerializerMethodField()
    number = serializers.IntegerField(
        source="organization_number",
        help_text="Number of the subscription within its organization.",
    )
    url = serializers.SerializerMethodField()
    verification = serializers.ChoiceField(
        Verification.choices,
        help_text="`pending` until the target returns its challenge: only challenges are sent.",
    )
    dialect = serializers.CharField(
        help_text="The dialect whose message format is sent to the target; empty for the native "
        "format."
    )
    headers = serializers.SerializerMethodField(
        help_text="Names of the headers. The values are not shown."
    )

    class Meta:
        model = Subscription
        fields = (
            "id",
            "object",
            "number",
            "url",
            "name",
            "target",
            "dialect",
            "events",
            "resources",
            "types",
            "active",
            "verification",
            "verified_at",
            "headers",
            "consecutive_failures",
            "failing_since",
            "paused_until",
            "disabled_at",
            "disabled_reason",
            "previous_secret_ends_at",
            "created_at",
            "updated_at",
        )

    def get_object(self, subscription: Subscription) -> str:
        return "webhook"

    def get_url(self, subscription: Subscription) -> str:
        path = reverse("webhook-detail", args=[subscription.public_id])
        return absolute(path, self.context.get("request"))

    def get_headers(self, subscription: Subscription) -> list[str]:
        return sorted(subscription.headers)


class CreatedSubscriptionSerializer(SubscriptionSerializer):
    """A new subscription, with its secret."""

    secret = serializers.SerializerMethodField()

    class Meta:
        model = Subscription
        fields = (*SubscriptionSerializer.Meta.fields, "secret")

    def get_secret(self, subscription: Subscription) -> str:
        return str(self.context["secret"])


@extend_schema_field({"type": "object"})
class DataField(serializers.JSONField):
    """The object of an event."""


class EventListSerializer(serializers.ListSerializer[Event]):
    """Serializes a page of events; the links of all events are completed together."""

    def to_representation(self, data: Any) -> list[Any]:
        events: Iterable[Event] = data
        page = list(events)
        for event, completed in zip(page, payloads.complete(page), strict=True):
            event.data = completed
        return super().to_representation(page)


class EventSerializer(ModelSerializer[Event]):
    """An event; `data` is its object at that time."""

    id = serializers.CharField(source="public_id")
    object = serializers.SerializerMethodField()
    type = serializers.ChoiceField(EventType.choices)
    data = DataField(source="public_data")  # type: ignore[assignment]  # Serializers have a property of this name.

    class Meta:
        model = Event
        list_serializer_class = EventListSerializer
        fields = ("id", "object", "type", "created_at", "data")

    def get_object(self, event: Event) -> str:
        return "event"


class EventTypeSerializer(serializers.Serializer[Any]):
    type = serializers.ChoiceField(EventType.choices)
    description = serializers.CharField()


class AttemptSerializer(ModelSerializer[Attempt]):
    """One request to the target, and its response."""

    class Meta:
        model = Attempt
        fields = ("started_at", "milliseconds", "status_code", "error", "response")


class DeliverySerializer(ModelSerializer[Delivery]):
    """The delivery of an event to a subscription, with its newest attempts."""

    id = serializers.CharField(source="public_id")
    object = serializers.SerializerMethodField()
    event = serializers.CharField(source="event.public_id")
    type = serializers.ChoiceField(EventType.choices, source="event.type")
    webhook = serializers.CharField(source="subscription.public_id")
    attempts = AttemptSerializer(
        many=True, help_text=f"The newest {MAX_SHOWN_ATTEMPTS} attempts, oldest first."
    )

    class Meta:
        model = Delivery
        fields = (
            "id",
            "object",
            "webhook",
            "event",
            "type",
            "status",
            "created_at",
            "next_attempt_at",
            "completed_at",
            "attempts",
        )

    def get_object(self, delivery: Delivery) -> str:
        return "delivery"
