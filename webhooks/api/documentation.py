"""Operations on webhooks and events in the API description."""

from datetime import timedelta

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    inline_serializer,
)
from rest_framework import serializers

from longshore.api.openapi import (
    BODY_ERRORS,
    IDEMPOTENCY_ERRORS,
    IDEMPOTENCY_PARAMETERS,
    NOT_FOUND,
    operation,
    response_example,
    single_page_schema,
)
from longshore.jobs.api.documentation import Operations
from longshore.resources.api.documentation import CREATED_PARAMETERS, PAGE_ERRORS
from webhooks.api import error_examples as errors
from webhooks.api.examples import (
    CREATED,
    DELETED,
    DELIVERED,
    EVENT,
    NEW_SECRET,
    PENDING,
    REQUESTS,
    SUBSCRIPTION,
)
from webhooks.api.request_serializers import (
    RecoveryRequestSerializer,
    SecretRequestSerializer,
    SubscriptionChangeSerializer,
    SubscriptionRequestSerializer,
)
from webhooks.api.serializers import (
    CreatedSubscriptionSerializer,
    DeliverySerializer,
    EventSerializer,
    EventTypeSerializer,
    SubscriptionSerializer,
)
from webhooks.events import EVENT_TYPES, EventType
from webhooks.maintenance import RETENTION
from webhooks.models import MAX_SHOWN_ATTEMPTS, DeliveryStatus
from webhooks.subscriptions import MAX_SUBSCRIPTIONS, OVERLAP

WEBHOOKS, EVENTS = "Webhooks", "Events"
_OVERLAP_HOURS = OVERLAP // timedelta(hours=1)

# Each by the name of the action of its viewset.
subscriptions: Operations = {
    "list": operation(
        "list_webhooks",
        tag=WEBHOOKS,
        summary="List subscriptions",
        description="Returns the subscriptions of the organization, newest first.",
        responses={200: OpenApiResponse(SubscriptionSerializer(many=True), "A page.")},
        errors=[errors.UNKNOWN_FILTER, *PAGE_ERRORS],
        examples=[response_example("One subscription", SUBSCRIPTION)],
    ),
    "create": operation(
        "create_webhook",
        tag=WEBHOOKS,
        summary="Create a subscription",
        description=(
            "From now on, every matching event is sent to the target, signed according to Standard "
            "Webhooks. Only this response contains the `secret`. An organization has at most "
            f"{MAX_SUBSCRIPTIONS} subscriptions."
        ),
        request=SubscriptionRequestSerializer,
        responses={201: OpenApiResponse(CreatedSubscriptionSerializer, "Subscribed.")},
        parameters=[
            *IDEMPOTENCY_PARAMETERS,
            OpenApiParameter(
                "Location",
                OpenApiTypes.URI,
                OpenApiParameter.HEADER,
                response=[201],
                description="URL of the subscription.",
            ),
        ],
        errors=[
            *errors.INVALID_BODIES,
            errors.INVALID_SECRET,
            *IDEMPOTENCY_ERRORS,
            errors.DUPLICATE,
            errors.TOO_MANY_SUBSCRIPTIONS,
        ],
        examples=[*REQUESTS, response_example("Subscribed", CREATED)],
    ),
    "retrieve": operation(
        "get_webhook",
        tag=WEBHOOKS,
        summary="Retrieve a subscription",
        description="Returns its settings and the state of its target, without secrets.",
        responses={200: OpenApiResponse(SubscriptionSerializer, "The subscription.")},
        errors=[NOT_FOUND],
        examples=[response_example("Active", SUBSCRIPTION)],
    ),
    "partial_update": operation(
        "change_webhook",
        tag=WEBHOOKS,
        summary="Change a subscription",
        description=(
            "Changes the given fields only. Deactivation fails the pending deliveries; activate "
            "the subscription and recover them to send them again."
        ),
        request=SubscriptionChangeSerializer,
        responses={200: OpenApiResponse(SubscriptionSerializer, "Changed.")},
        errors=[*errors.INVALID_BODIES, NOT_FOUND, errors.DUPLICATE],
        examples=[
            OpenApiExample("Deactivate", value={"active": False}, request_only=True),
            OpenApiExample(
                "Replace one header, remove another",
                value={"headers": {"Authorization": "Bearer 9Tz…", "X-Team": None}},
                request_only=True,
            ),
            response_example("Deactivated", SUBSCRIPTION | {"active": False}),
        ],
    ),
    "destroy": operation(
        "delete_webhook",
        tag=WEBHOOKS,
        summary="Delete a subscription",
        description="Deletes the subscription. Its pending deliveries are not sent.",
        responses={204: OpenApiResponse(description="Deleted.")},
        errors=[NOT_FOUND],
    ),
    "rotate_secret": operation(
        "rotate_webhook_secret",
        tag=WEBHOOKS,
        summary="Rotate the secret",
        description=(
            f"Only this response contains the new secret. For {_OVERLAP_HOURS} hours, deliveries "
            "are signed with both the new and the previous secret, so that the receiver can be "
            "changed. Another rotation within that time ends the older secret at once."
        ),
        request=SecretRequestSerializer,
        responses={
            200: inline_serializer(
                "Secret",
                {
                    "secret": serializers.CharField(),
                    "previous_secret_ends_at": serializers.DateTimeField(),
                },
            )
        },
        parameters=IDEMPOTENCY_PARAMETERS,
        errors=[errors.INVALID_SECRET, NOT_FOUND, *IDEMPOTENCY_ERRORS],
        examples=[
            OpenApiExample("Generated secret", value={}, request_only=True),
            response_example(
                "Rotated",
                {"secret": NEW_SECRET, "previous_secret_ends_at": "2024-12-26T14:30:00.123456Z"},
            ),
        ],
    ),
    "test": operation(
        "test_webhook",
        tag=WEBHOOKS,
        summary="Test a subscription",
        description=(
            "Sends the event `webhook.test` to the subscription, independent of its `events`. Its "
            "deliveries show the result. A target that has not repeated its challenge gets a new "
            "`webhook.challenge` instead."
        ),
        responses={201: OpenApiResponse(DeliverySerializer, "Pending.")},
        parameters=IDEMPOTENCY_PARAMETERS,
        errors=[NOT_FOUND, errors.INACTIVE, *IDEMPOTENCY_ERRORS, *BODY_ERRORS],
        examples=[response_example("Pending", PENDING | {"type": EventType.WEBHOOK_TEST})],
    ),
    "recover": operation(
        "recover_webhook",
        tag=WEBHOOKS,
        summary="Recover failed deliveries",
        description=(
            "Sends all failed deliveries of events since a time again, including those of the time "
            "while Longshore had disabled the subscription. Events are kept for "
            f"{RETENTION.days} days."
        ),
        request=RecoveryRequestSerializer,
        responses={200: inline_serializer("Recovery", {"recovered": serializers.IntegerField()})},
        parameters=IDEMPOTENCY_PARAMETERS,
        errors=[errors.INVALID_SINCE, NOT_FOUND, errors.INACTIVE, *IDEMPOTENCY_ERRORS],
        examples=[
            OpenApiExample(
                "Since noon", value={"since": "2024-12-25T12:00:00Z"}, request_only=True
            ),
            response_example("Three deliveries", {"recovered": 3}),
        ],
    ),
}
_STATUS = OpenApiParameter(
    "status", description="One or more, separated by commas.", enum=DeliveryStatus.values
)
_EVENT_TYPE = OpenApiParameter(
    "type", description="One or more, separated by commas.", enum=[*EVENT_TYPES]
)
subscription_deliveries: Operations = {
    "list": operation(
        "list_deliveries",
        tag=WEBHOOKS,
        summary="List deliveries",
        description=(
            "Returns the deliveries of a subscription, newest first, each with its newest "
            f"{MAX_SHOWN_ATTEMPTS} attempts. They are kept for {RETENTION.days} days."
        ),
        responses={200: OpenApiResponse(DeliverySerializer(many=True), "A page.")},
        parameters=[_STATUS, _EVENT_TYPE, *CREATED_PARAMETERS],
        errors=[errors.INVALID_TYPE_FILTER, *PAGE_ERRORS, NOT_FOUND],
        examples=[response_example("Delivered at the second attempt", DELIVERED)],
    )
}
deliveries: Operations = {
    "redeliver": operation(
        "redeliver",
        tag=WEBHOOKS,
        summary="Redeliver",
        description="Sends a delivery again at once, with the same `webhook-id`.",
        responses={200: OpenApiResponse(DeliverySerializer, "Pending.")},
        parameters=IDEMPOTENCY_PARAMETERS,
        errors=[
            NOT_FOUND,
            errors.INACTIVE,
            *IDEMPOTENCY_ERRORS,
            *BODY_ERRORS,
            errors.ALREADY_SENDING,
        ],
        examples=[response_example("Pending", DELIVERED | {"status": "pending"})],
    )
}
events: Operations = {
    "list": operation(
        "list_events",
        tag=EVENTS,
        summary="List events",
        description=(
            "Returns the events of the organization, newest first, with or without subscriptions. "
            f"They are kept for {RETENTION.days} days, or until the export is deleted. `data` is "
            "the object at the time of the event, without the request of an export, and with a "
            "link that works now."
        ),
        responses={200: OpenApiResponse(EventSerializer(many=True), "A page.")},
        parameters=[_EVENT_TYPE, *CREATED_PARAMETERS],
        errors=[errors.INVALID_TYPE_FILTER, *PAGE_ERRORS],
        examples=[
            response_example("A completed export", EVENT),
            response_example("A deleted export", DELETED),
        ],
    ),
    "types": operation(
        "list_event_types",
        tag=EVENTS,
        summary="List event types",
        description="Returns every type that `events` of a subscription can contain.",
        responses={200: single_page_schema("EventTypeList", EventTypeSerializer)},
    ),
}
