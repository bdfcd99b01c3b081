"""Errors of webhooks in the API description.

The code of the endpoints makes them. Only errors that need rows in the database are written out
here; a test compares them with responses.
"""

from typing import Any

from longshore.api.errors import ApiError, ErrorCode
from longshore.api.openapi import raised
from longshore.resources.api.list_filters import parse_list_filters
from webhooks import actions
from webhooks.api.examples import SUBSCRIPTION
from webhooks.errors import WebhookErrorCode
from webhooks.events import EventType
from webhooks.models import DeliveryStatus, Subscription
from webhooks.parsing import parse_change, parse_secret, parse_since
from webhooks.subscriptions import MAX_SUBSCRIPTIONS


def _change(body: dict[str, Any]) -> ApiError:
    return raised(lambda: parse_change(body))


INVALID_BODIES = [
    _change({"target": "https://user:password@receiver.example.com/"}),
    _change({"events": ["export.finished"]}),
    _change({"headers": {"webhook-id": "1"}}),
    _change({"resources": ["ship"]}),
]
INVALID_SECRET = raised(lambda: parse_secret({"secret": "whsec_short"}))
INVALID_SINCE = raised(lambda: parse_since({"since": "yesterday"}))
UNKNOWN_FILTER = raised(lambda: parse_list_filters({"colour": ["red"]}, {}))
INVALID_TYPE_FILTER = raised(
    lambda: parse_list_filters({"type": ["export"]}, {"type": EventType.values})
)
INACTIVE = raised(
    lambda: actions.test(
        Subscription(
            public_id=SUBSCRIPTION["id"],
            active=False,
            disabled_reason="The target responded with 410 Gone.",
        )
    )
)

# These need rows in the database.
DUPLICATE = ApiError(
    WebhookErrorCode.DUPLICATE_SUBSCRIPTION,
    f"{SUBSCRIPTION['id']} has the same target, events, resources and types.",
    {"id": SUBSCRIPTION["id"]},
)
TOO_MANY_SUBSCRIPTIONS = ApiError(
    WebhookErrorCode.TOO_MANY_SUBSCRIPTIONS,
    f"There are {MAX_SUBSCRIPTIONS} subscriptions, and no more are allowed. Delete one.",
    {"maximum": MAX_SUBSCRIPTIONS},
)
ALREADY_SENDING = ApiError(
    ErrorCode.INVALID_STATUS,
    "The delivery is being sent right now.",
    {
        "status": DeliveryStatus.SENDING.value,
        "accepted": [each.value for each in DeliveryStatus if each != DeliveryStatus.SENDING],
    },
)
