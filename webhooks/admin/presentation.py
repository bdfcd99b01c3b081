"""Titles and tables of the admin pages of webhooks."""

from collections.abc import Iterable
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from django.db.models.functions import JSONObject
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from longshore.jobs.admin.presentation import (
    EMPTY,
    Table,
    badge,
    exact_time,
    link,
    nowrap,
    relative_and_exact_time,
    table,
)
from webhooks import envelopes
from webhooks.admin.states import STATE_COLORS, delivery_state, state_of, subscription_sentence
from webhooks.events import ALL_EVENTS
from webhooks.models import Attempt, Delivery, Subscription

_ATTEMPTS = Attempt.objects.filter(delivery=OuterRef("pk")).order_by("-pk")


def title_of(subscription: Subscription) -> str:
    """Return the name of a subscription, or the host of its target."""
    return subscription.name or subscription.target.partition("://")[2].partition("/")[0]


def event_names(subscription: Subscription) -> list[str]:
    return ["All events" if name == ALL_EVENTS else name for name in subscription.events]


def with_last_attempt(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Add the newest attempt of each delivery, for `last_attempt`, and its related records."""
    fields = {name: name for name in ("status_code", "milliseconds", "error")}
    last = _ATTEMPTS.values(json=JSONObject(**fields))[:1]
    # The data of an event, and secrets, are not shown in lists.
    related = deliveries.select_related("event", "subscription__organization").defer(
        "event__data", "subscription__secret", "subscription__previous_secret"
    )
    return related.annotate(last=ArraySubquery(last))


def last_attempt(delivery: Delivery) -> Attempt | None:
    """Return the newest attempt of a delivery of `with_last_attempt`; None if there is none."""
    found: list[dict[str, Any]] = delivery.last  # type: ignore[attr-defined]
    return Attempt(**found[0]) if found else None


def delivery_table(deliveries: Iterable[Delivery], *, title: str, omits: str = "") -> Table:
    """Return deliveries of `with_last_attempt` as a table.

    omits: the column that the page is about: `Event`, `Webhook` or "".
    """
    columns = ("Event", "Webhook", "State", "Attempts", "Created")
    headers = [name for name in columns if name != omits]
    rows = []
    for each in deliveries:
        url = reverse("admin:webhooks_delivery_change", args=[each.pk])
        webhook = reverse("admin:webhooks_subscription_change", args=[each.subscription_id])
        label, color, text = delivery_state(each, last_attempt(each))
        cells = {
            "Event": link(url, each.event.type),
            "Webhook": link(webhook, title_of(each.subscription)),
            "State": state_cell(label, color, text),
            "Attempts": f"{each.attempts_count:,}" if each.attempts_count else EMPTY,
            "Created": link(url, nowrap(exact_time(each.created_at))),
        }
        rows.append([cells[name] for name in headers])
    return table(title, headers, rows)


def times(subscription: Subscription) -> list[tuple[str, str, str]]:
    """Return title, relative time and exact time of the past and coming steps of a subscription."""
    now = timezone.now()
    steps = [
        ("Created", subscription.created_at),
        ("Failing since", subscription.failing_since),
        ("Disabled", subscription.disabled_at),
    ]
    if (paused_until := subscription.paused_until) and paused_until > now:
        steps.append(("Paused until", paused_until))
    ends_at = subscription.previous_secret_ends_at
    if ends_at and ends_at > now and envelopes.signs_with_all_secrets(subscription.dialect):
        steps.append(("Previous secret valid until", ends_at))
    return [(title, *relative_and_exact_time(when)) for title, when in steps if when]


def state_cell(label: str, color: str, text: str) -> SafeString:
    """Return a label with its explanation below."""
    shown = badge(label, color)
    return format_html('<span class="webhook-state">{}<span>{}</span></span>', shown, text)


def subscription_state_cell(subscription: Any) -> SafeString:
    """Return the state of a subscription of `with_health`."""
    state = state_of(subscription)
    text = subscription_sentence(subscription, subscription.next_attempt_at)
    return state_cell(str(state.label), STATE_COLORS[state], text)
