"""The newest deliveries of a subscription or an event, as a small bar chart."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from longshore.jobs.admin.presentation import exact_time
from webhooks.models import Delivery, DeliveryStatus, Subscription
from webhooks.senders import not_held

# Number of deliveries in the chart.
MAX_RECENT_DELIVERIES = 30
_CHART_TEMPLATE = "admin/webhooks/health.html"
# In pixels: distance between bars, and vertical position of the baseline.
_STEP, _BASELINE = 5, 12


def newest(subscription: int | OuterRef) -> QuerySet[Delivery]:
    """Return the deliveries of a subscription, newest first."""
    return Delivery.objects.filter(subscription=subscription).order_by("-created_at")


def recent(deliveries: QuerySet[Delivery]) -> ArraySubquery:
    """Return a subquery of the first deliveries for each row, as `health_chart` needs them."""
    fields = {name: name for name in ("status", "attempts_count", "created_at")}
    return ArraySubquery(deliveries.values(json=JSONObject(**fields))[:MAX_RECENT_DELIVERIES])


def with_health(subscriptions: QuerySet[Subscription]) -> QuerySet[Any]:
    """Add what the state of a subscription is told from; leave out its secrets.

    recent: its newest deliveries, for `health_chart`.
    next_attempt_at: the time of its first pending delivery that is not held; None if there is none.
    """
    own = newest(OuterRef("pk"))
    pending = own.filter(not_held(), status=DeliveryStatus.PENDING).order_by("next_attempt_at")
    without_secrets = subscriptions.defer("secret", "previous_secret")
    return without_secrets.annotate(
        recent=recent(own), next_attempt_at=Subquery(pending.values("next_attempt_at")[:1])
    )


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
    # Those that will be sent again are not decided.
    ended = [bar for bar in bars if bar.kind in ("delivered", "failed")]
    delivered = sum(bar.kind == "delivered" for bar in ended)
    text_without_results = "Pending" if bars else "No deliveries yet"
    result = f"{delivered} of {len(ended)}"
    context = {
        "bars": bars[::-1],
        "width": _STEP * slots - 2,
        "baseline": _BASELINE,
        "text": result if ended else text_without_results,
        "label": f"Delivered: {result}" if ended else text_without_results,
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
