"""The part of the admin's home about webhooks: states, backlog, and those that need attention."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Min, Q
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from longshore.accounts.admin.home import HomeScope, with_organization
from longshore.jobs.admin.presentation import Table, duration, link, table
from webhooks import senders
from webhooks.admin import health, presentation
from webhooks.admin.states import CONDITIONS, STATE_COLORS, State, subscription_sentence
from webhooks.models import Delivery, DeliveryStatus, Subscription

_MAX_LISTED = 5
# Deliveries in the chart of a webhook.
_MAX_BARS = 12


def webhook_section(request: HttpRequest, scope: HomeScope) -> dict[str, Any] | None:
    """Return the context of the section; None if the person may not view subscriptions.

    Costs three queries.
    """
    if not request.user.has_perm("webhooks.view_subscription"):
        return None
    subscriptions = scope.of(Subscription.objects.visible())
    numbers = {
        f"{state}_subscriptions": Count("pk", filter=condition)
        for state, condition in CONDITIONS.items()
    }
    found = subscriptions.order_by().aggregate(**numbers)
    counts = {state: found[f"{state}_subscriptions"] for state in State}
    waiting = Delivery.objects.filter(status=DeliveryStatus.PENDING).order_by()
    if scope.organizations is not None:
        waiting = waiting.filter(subscription__in=subscriptions.order_by().values("pk"))
    sent = senders.not_held() & Q(subscription__in=Subscription.objects.filter(senders.sendable()))
    backlog = waiting.aggregate(count=Count("pk"), first=Min("next_attempt_at", filter=sent))
    page = reverse("admin:webhooks_subscription_changelist")
    return {
        "states": [
            {
                "text": f"{counts[state]:,} {state.label.lower()}",
                "color": STATE_COLORS[state],
                "url": f"{page}?state={state}",
            }
            for state in State
            if counts[state]
        ],
        "total": sum(counts.values()),
        "pending": f"{backlog['count']:,} pending deliver{'y' if backlog['count'] == 1 else 'ies'}",
        "late": _late(backlog["first"]),
        "attention": _attention(scope),
    }


def _late(first: datetime | None) -> str | None:
    """Return for how long the next attempt is overdue; None if no attempt is."""
    overdue = timezone.now() - first if first else timedelta()
    return duration(overdue) if overdue > timedelta() else None


def _attention(scope: HomeScope) -> Table:
    """Return the webhooks that Longshore disabled or that fail, the newest problem first."""
    broken = CONDITIONS[State.DISABLED] | CONDITIONS[State.FAILING]
    found = scope.of(Subscription.objects.visible().filter(broken))
    found = health.with_health(found).annotate(since=Coalesce("disabled_at", "failing_since"))
    found = found.select_related("organization")
    rows = []
    for subscription in found.order_by(F("since").desc(nulls_last=True))[:_MAX_LISTED]:
        url = reverse("admin:webhooks_subscription_change", args=[subscription.pk])
        rows.append(
            [
                with_organization(
                    link(url, presentation.title_of(subscription)), subscription.organization
                ),
                health.health_chart(subscription.recent[:_MAX_BARS], _MAX_BARS),
                subscription_sentence(subscription, subscription.next_attempt_at),
            ]
        )
    headers = ["Webhook", "Recent deliveries", "Problem"]
    return table("Webhooks that need attention", headers, rows)
