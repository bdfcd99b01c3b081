"""Text, tables and charts of the admin pages of webhooks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet, TextChoices
from django.db.models.functions import JSONObject
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from longshore.jobs.admin.presentation import (
    EMPTY,
    Table,
    badge,
    code_block,
    duration,
    exact_time,
    link,
    nowrap,
    relative_and_exact_time,
    table,
)
from webhooks.events import ALL_EVENTS
from webhooks.models import Attempt, Delivery, DeliveryStatus, Subscription

STATUS_COLORS = {
    DeliveryStatus.PENDING: "info",
    DeliveryStatus.SENDING: "primary",
    DeliveryStatus.DELIVERED: "success",
    DeliveryStatus.FAILED: "danger",
}
# Number of deliveries in the chart of recent deliveries.
MAX_RECENT_DELIVERIES = 30
_CHART_TEMPLATE = "admin/webhooks/health.html"
# In pixels: distance between bars, and vertical position of the baseline.
_STEP, _BASELINE = 5, 12


class State(TextChoices):
    """Overall state of a subscription: whether it is sent to, and whether its target works."""

    ACTIVE = "active", "Active"
    FAILING = "failing", "Failing"
    INACTIVE = "inactive", "Inactive"
    DISABLED = "disabled", "Disabled"


STATE_COLORS = {
    State.ACTIVE: "success",
    State.FAILING: "warning",
    State.INACTIVE: "default",
    State.DISABLED: "danger",
}


def state_of(subscription: Subscription) -> State:
    if subscription.disabled_at is not None:
        return State.DISABLED
    if not subscription.active:
        return State.INACTIVE
    return State.FAILING if subscription.consecutive_failures else State.ACTIVE


def title_of(subscription: Subscription) -> str:
    """Return the name of a subscription, or the host of its target."""
    return subscription.name or subscription.target.partition("://")[2].partition("/")[0]


def event_names(subscription: Subscription) -> list[str]:
    return ["All events" if name == ALL_EVENTS else name for name in subscription.events]


def newest(subscription: int | OuterRef) -> QuerySet[Delivery]:
    """Return the deliveries of a subscription, newest first."""
    return Delivery.objects.filter(subscription=subscription).order_by("-created_at")


def recent(deliveries: QuerySet[Delivery]) -> ArraySubquery:
    """Return a subquery of the first deliveries for each row, as `health_chart` needs them."""
    fields = {name: name for name in ("status", "attempts_count", "created_at")}
    return ArraySubquery(deliveries.values(json=JSONObject(**fields))[:MAX_RECENT_DELIVERIES])


@dataclass(frozen=True)
class _Bar:
    kind: str
    x: int
    y: int
    height: int
    title: str


def health_chart(
    deliveries: Sequence[dict[str, Any]], slots: int = MAX_RECENT_DELIVERIES
) -> SafeString:
    """Return a chart of deliveries, given newest first and drawn oldest first.

    A bar above the baseline is a success, a bar below it a failure.
    slots: number of bars that the chart has room for.
    """
    bars = [_bar(_STEP * (slots - 1 - index), each) for index, each in enumerate(deliveries)]
    ended = [bar for bar in bars if bar.kind != "waiting"]
    delivered = sum(bar.kind == "delivered" for bar in ended)
    none_ended = "Pending" if bars else "No deliveries yet"
    context = {
        "bars": bars[::-1],
        "width": _STEP * slots - 2,
        "baseline": _BASELINE,
        "text": f"{delivered} of {len(ended)}" if ended else none_ended,
    }
    return SafeString(render_to_string(_CHART_TEMPLATE, context))


def _bar(x: int, delivery: dict[str, Any]) -> _Bar:
    """Return the bar of a delivery: shorter if it was retried or will be."""
    status, attempts = delivery["status"], delivery["attempts_count"]
    when = exact_time(datetime.fromisoformat(delivery["created_at"]))
    count = f"{attempts} attempt{'' if attempts == 1 else 's'}"
    if status == DeliveryStatus.DELIVERED:
        height = 10 if attempts == 1 else 6
        return _Bar("delivered", x, _BASELINE - height - 1, height, f"Delivered, {count}, {when}")
    if status == DeliveryStatus.FAILED:
        return _Bar("failed", x, _BASELINE + 2, 10, f"Failed, {count}, {when}")
    if attempts:
        return _Bar("retried", x, _BASELINE + 2, 6, f"To be retried, {count}, {when}")
    return _Bar("waiting", x, _BASELINE - 1, 3, f"Pending, {when}")


def delivery_table(deliveries: Iterable[Delivery], first_column: str) -> Table:
    """Return deliveries as a table. first_column: `Event` or `Webhook`, which the page omits."""
    rows = []
    for delivery in deliveries:
        url = reverse("admin:webhooks_delivery_change", args=[delivery.pk])
        is_event = first_column == "Event"
        title = delivery.event.type if is_event else title_of(delivery.subscription)
        attempts = list(delivery.attempts.all())
        status = DeliveryStatus(delivery.status)
        rows.append(
            [
                link(url, title),
                badge(str(status.label), STATUS_COLORS[status]),
                str(len(attempts) or EMPTY),
                nowrap(outcome(attempts[-1])) if attempts else EMPTY,
                nowrap(exact_time(delivery.created_at)),
            ]
        )
    headers = [first_column, "Status", "Attempts", "Last response", "Created"]
    return table("Deliveries", headers, rows)


def attempt_table(attempts: Iterable[Attempt]) -> Table:
    """Return attempts as a table, newest first."""
    rows = [
        [
            nowrap(exact_time(attempt.started_at)),
            nowrap(outcome(attempt)),
            attempt.error or EMPTY,
            code_block(attempt.response) if attempt.response else EMPTY,
        ]
        for attempt in sorted(attempts, key=lambda each: -each.pk)
    ]
    return table("Attempts", ["Time", "Status", "Error", "Response"], rows)


def outcome(attempt: Attempt) -> str:
    """Return `204 in 38 ms`, or `No response in 15.0 s`."""
    elapsed = duration(timedelta(milliseconds=attempt.milliseconds))
    return f"{attempt.status_code or 'No response'} in {elapsed}"


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
    if (ends_at := subscription.previous_secret_ends_at) and ends_at > now:
        steps.append(("Previous secret valid until", ends_at))
    return [(title, *relative_and_exact_time(when)) for title, when in steps if when]
