"""The operations on webhooks and events, as the API's description has them."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    inline_serializer,
)
from rest_framework import serializers

from longshore.api.errors import ApiError, ErrorCode
from longshore.api.openapi import (
    KEY_ERRORS,
    NOT_FOUND,
    OF_A_BODY,
    OF_A_KEY,
    answer,
    operation,
    whole_list,
)
from longshore.resources.api.documentation import (
    BAD_PAGES,
    CREATED_PARAMETERS,
    bad_input,
)
from webhooks.api.body import (
    SubscriptionChangeSerializer,
    SubscriptionRequestSerializer,
)
from webhooks.api.examples import (
    BAD_SECRET,
    CREATED,
    DELETED,
    DELIVERED,
    EVENT,
    NEW_SECRET,
    PENDING,
    REFUSED,
    REQUESTS,
    SUBSCRIPTION,
)
from webhooks.api.serializers import (
    CreatedSubscriptionSerializer,
    DeliverySerializer,
    EventSerializer,
    EventTypeSerializer,
    SubscriptionSerializer,
)
from webhooks.events import EventType
from webhooks.models import DeliveryStatus
from webhooks.parsing import SECRET
from webhooks.subscriptions import MAX_SUBSCRIPTIONS

WEBHOOKS, EVENTS = "Webhooks", "Events"

_INACTIVE = ApiError(
    ErrorCode.SUBSCRIPTION_INACTIVE,
    f"The subscription {SUBSCRIPTION['id']} is not active. Activate it first.",
    {"active": False, "disabled_reason": "The target answered 410 Gone."},
)
_TWIN = ApiError(
    ErrorCode.DUPLICATE_SUBSCRIPTION,
    f"{SUBSCRIPTION['id']} has the same target, events, resources and types.",
    {"id": SUBSCRIPTION["id"]},
)
list_subscriptions = operation(
    "list_webhooks",
    tag=WEBHOOKS,
    summary="List subscriptions",
    description="The subscriptions of the organization, newest first.",
    responses={200: OpenApiResponse(SubscriptionSerializer(many=True), "A page.")},
    errors=[
        bad_input(
            ErrorCode.INVALID_FILTER,
            "colour",
            "red",
            "This list has no filter 'colour'",
            ["cursor", "limit"],
        ),
        *BAD_PAGES,
    ],
    examples=[answer("One subscription", SUBSCRIPTION)],
)
create_subscription = operation(
    "create_webhook",
    tag=WEBHOOKS,
    summary="Subscribe to events",
    description=(
        "From now on each event is sent to the target, signed as Standard Webhooks says. The "
        f"`secret` is shown this once. An organization has at most "
        f"{MAX_SUBSCRIPTIONS} subscriptions."
    ),
    request=SubscriptionRequestSerializer,
    responses={201: OpenApiResponse(CreatedSubscriptionSerializer, "Subscribed.")},
    parameters=[
        *OF_A_KEY,
        OpenApiParameter(
            "Location",
            OpenApiTypes.URI,
            OpenApiParameter.HEADER,
            response=[201],
            description="Where the subscription is.",
        ),
    ],
    errors=[
        *REFUSED,
        BAD_SECRET,
        *KEY_ERRORS,
        _TWIN,
        ApiError(
            ErrorCode.TOO_MANY_SUBSCRIPTIONS,
            f"{MAX_SUBSCRIPTIONS} subscriptions exist, the maximum. Delete one first.",
            {"maximum": MAX_SUBSCRIPTIONS},
        ),
    ],
    examples=[*REQUESTS, answer("Subscribed", CREATED)],
)
get_subscription = operation(
    "get_webhook",
    tag=WEBHOOKS,
    summary="Look at a subscription",
    description="What it is told of, and how its target does. Secrets are not shown.",
    responses={200: OpenApiResponse(SubscriptionSerializer, "The subscription.")},
    errors=[NOT_FOUND],
    examples=[answer("Active", SUBSCRIPTION)],
)
change_subscription = operation(
    "change_webhook",
    tag=WEBHOOKS,
    summary="Change a subscription",
    description=(
        "What is not given stays as it is. What waits for a subscription that is deactivated has "
        "failed; activate it and recover."
    ),
    request=SubscriptionChangeSerializer,
    responses={200: OpenApiResponse(SubscriptionSerializer, "Changed.")},
    errors=[*REFUSED, NOT_FOUND, _TWIN],
    examples=[
        OpenApiExample("Deactivate", value={"active": False}, request_only=True),
        OpenApiExample(
            "Another token, one header less",
            value={"headers": {"Authorization": "Bearer 9Tz…", "X-Team": None}},
            request_only=True,
        ),
        answer("Deactivated", SUBSCRIPTION | {"active": False}),
    ],
)
delete_subscription = operation(
    "delete_webhook",
    tag=WEBHOOKS,
    summary="Unsubscribe",
    description="Nothing is sent any more, what waits included.",
    responses={204: OpenApiResponse(description="Gone.")},
    errors=[NOT_FOUND],
)
rotate_secret = operation(
    "rotate_webhook_secret",
    tag=WEBHOOKS,
    summary="Sign with another secret",
    description=(
        "The new secret is shown this once. For 24 hours the one before signs as well, so that "
        "there is time to change the receiver; rotated again meanwhile, an older one no more."
    ),
    request=inline_serializer(
        "SecretRequest", {"secret": serializers.CharField(required=False, help_text=SECRET)}
    ),
    responses={
        200: inline_serializer(
            "Secret",
            {
                "secret": serializers.CharField(),
                "previous_secret_ends_at": serializers.DateTimeField(),
            },
        )
    },
    parameters=OF_A_KEY,
    errors=[BAD_SECRET, NOT_FOUND, *KEY_ERRORS],
    examples=[
        OpenApiExample("A secret that Longshore makes", value={}, request_only=True),
        answer(
            "Rotated",
            {"secret": NEW_SECRET, "previous_secret_ends_at": "2024-12-26T14:30:00.123456Z"},
        ),
    ],
)
test_subscription = operation(
    "test_webhook",
    tag=WEBHOOKS,
    summary="Try a subscription out",
    description=(
        "Sends it a `webhook.test`, whatever its `events` are. Its deliveries say what came of it."
    ),
    request=None,
    responses={201: OpenApiResponse(DeliverySerializer, "Under way.")},
    parameters=OF_A_KEY,
    errors=[NOT_FOUND, _INACTIVE, *KEY_ERRORS, *OF_A_BODY],
    examples=[answer("Under way", PENDING | {"type": EventType.WEBHOOK_TEST})],
)
recover_deliveries = operation(
    "recover_webhook",
    tag=WEBHOOKS,
    summary="Send again what has failed",
    description=(
        "All failed deliveries of events since a time, also of those while Longshore had disabled "
        "the subscription. Events are kept for 30 days."
    ),
    request=inline_serializer("RecoveryRequest", {"since": serializers.DateTimeField()}),
    responses={200: inline_serializer("Recovery", {"recovered": serializers.IntegerField()})},
    parameters=OF_A_KEY,
    errors=[
        bad_input(
            ErrorCode.INVALID_REQUEST,
            "since",
            "yesterday",
            "since must be a date and time with a zone",
            "an ISO 8601 date and time with its zone, such as 2024-12-25T14:30:00Z",
        ),
        NOT_FOUND,
        _INACTIVE,
        *KEY_ERRORS,
    ],
    examples=[
        OpenApiExample("Since noon", value={"since": "2024-12-25T12:00:00Z"}, request_only=True),
        answer("Three are sent again", {"recovered": 3}),
    ],
)
_STATUS = OpenApiParameter(
    "status",
    description="One, or several with commas between.",
    enum=DeliveryStatus.values,
)
_EVENT_TYPE = OpenApiParameter(
    "type", description="One, or several with commas between.", enum=EventType.values
)
_BAD_TYPE = bad_input(
    ErrorCode.INVALID_FILTER, "type", "export", "Unknown type: export", EventType.values
)
list_deliveries = operation(
    "list_deliveries",
    tag=WEBHOOKS,
    summary="List deliveries",
    description="Of a subscription, newest first, with every attempt; kept for 30 days.",
    responses={200: OpenApiResponse(DeliverySerializer(many=True), "A page.")},
    parameters=[_STATUS, _EVENT_TYPE, *CREATED_PARAMETERS],
    errors=[_BAD_TYPE, *BAD_PAGES, NOT_FOUND],
    examples=[answer("Delivered at the second attempt", DELIVERED)],
)
redeliver = operation(
    "redeliver",
    tag=WEBHOOKS,
    summary="Send a delivery again",
    description="Whatever became of it, at once, and with the same `webhook-id`.",
    request=None,
    responses={200: OpenApiResponse(DeliverySerializer, "Under way.")},
    parameters=OF_A_KEY,
    errors=[
        NOT_FOUND,
        _INACTIVE,
        *KEY_ERRORS,
        *OF_A_BODY,
        ApiError(
            ErrorCode.INVALID_STATUS,
            "The delivery is being sent now.",
            {"status": "sending", "accepted": ["pending", "delivered", "failed"]},
        ),
    ],
    examples=[answer("Under way", DELIVERED | {"status": "pending"})],
)
list_events = operation(
    "list_events",
    tag=EVENTS,
    summary="List events",
    description=(
        "What happened in the organization, newest first, whether or not somebody is told; kept "
        "for 30 days, or until the export is deleted. `data` is as it was then, without the "
        "request of an export, and with a link that works now."
    ),
    responses={200: OpenApiResponse(EventSerializer(many=True), "A page.")},
    parameters=[_EVENT_TYPE, *CREATED_PARAMETERS],
    errors=[_BAD_TYPE, *BAD_PAGES],
    examples=[answer("A file is ready", EVENT), answer("An export was deleted", DELETED)],
)
list_event_types = operation(
    "list_event_types",
    tag=EVENTS,
    summary="List types of events",
    description="Every type that a subscription can name.",
    responses={200: whole_list("EventTypeList", EventTypeSerializer)},
)
