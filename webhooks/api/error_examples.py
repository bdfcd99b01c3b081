"""Errors of webhooks in the API description, made by the code of the endpoints."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from longshore.api.openapi import raised, raised_errors, unknown_name
from longshore.resources.api.list_filters import parse_list_filters
from longshore.resources.registry import registry
from webhooks import actions, subscriptions
from webhooks.api.examples import SUBSCRIPTION
from webhooks.events import EVENT_TYPES
from webhooks.models import Subscription
from webhooks.parsing import parse_change, parse_secret, parse_since


def invalid_changes() -> Iterator[dict[str, Any]]:
    """Yield bodies of a PATCH, each with one error."""
    yield {"target": "https://user:password@receiver.example.com/"}
    yield {"events": ["export.finished"]}
    yield {"headers": {"webhook-id": "1"}}
    yield {"resources": [unknown_name("ship", registry.names())]}


INVALID_BODIES = raised_errors(partial(parse_change, body) for body in invalid_changes())
INVALID_SECRET = raised(lambda: parse_secret({"secret": "whsec_short"}))
INVALID_SINCE = raised(lambda: parse_since({"since": "yesterday"}))
UNKNOWN_FILTER = raised(lambda: parse_list_filters({"color": ["red"]}, {}))
INVALID_TYPE_FILTER = raised(
    lambda: parse_list_filters({"type": ["export"]}, {"type": EVENT_TYPES})
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
DUPLICATE = subscriptions.duplicate_of(SUBSCRIPTION["id"])
TOO_MANY_SUBSCRIPTIONS = subscriptions.too_many()
ALREADY_SENDING = actions.already_sending()
