"""How the admin words how a subscription does and what became of a delivery."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet, TextChoices
from django.db.models.functions import JSONObject
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from webhooks.events import EVERY
from webhooks.models import Attempt, Delivery, DeliveryStatus, Subscription

NOTHING = "–"  # noqa: RUF001  (a dash for people)
STATUS_COLORS = {
    DeliveryStatus.PENDING: "info",
    DeliveryStatus.SENDING: "primary",
    DeliveryStatus.DELIVERED: "success",
    DeliveryStatus.FAILED: "danger",
}
# So many deliveries say how a subscription does.
RECENT = 30
_HEALTH = "admin/webhooks/health.html"
# Of a bar and the gap after it, and of a whole row of them, in pixels.
_STEP, _BASELINE = 5, 12


class State(TextChoices):
    """How a subscription is, in one word."""

    ACTIVE = "active", "Active"
    FAILING = "failing", "Failing"
    OFF = "off", "Off"
    DISABLED = "disabled", "Disabled"


STATE_COLORS = {
    State.ACTIVE: "success",
    State.FAILING: "warning",
    State.OFF: "default",
    State.DISABLED: "danger",
}


def state_of(subscription: Subscription) -> State:
    if subscription.disabled_at is not None:
        return State.DISABLED
    if not subscription.active:
        return State.OFF
    return State.FAILING if subscription.consecutive_failures else State.ACTIVE


def title_of(subscription: Subscription) -> str:
    return subscription.name or subscription.target.partition("://")[2].partition("/")[0]


def moment(when: datetime | None) -> str:
    return f"{localtime(when):%Y-%m-%d %H:%M:%S %Z}" if when else NOTHING


def ago(when: datetime | None) -> tuple[str, str]:
    """Relative, and exactly."""
    return (naturaltime(when), moment(when)) if when else (NOTHING, "")


def duration(milliseconds: int) -> str:
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def code(text: str) -> SafeString:
    return format_html('<code class="webhook-code">{}</code>', text)


def block(text: str) -> SafeString:
    return format_html('<pre class="webhook-code">{}</pre>', text)


def json_block(data: Any) -> SafeString:
    return block(json.dumps(data, indent=2, ensure_ascii=False))


def chips(texts: Iterable[str]) -> SafeString:
    pairs = ((text,) for text in texts)
    return format_html_join(" ", '<code class="webhook-code webhook-chip">{}</code>', pairs)


def events_of(subscription: Subscription) -> list[str]:
    return ["Everything" if name == EVERY else name for name in subscription.events]


def label(status: str, colors: dict[Any, str]) -> SafeString:
    context = {"type": colors[status], "text": status.capitalize()}
    return SafeString(render_to_string("unfold/helpers/label.html", context))


def newest(subscription: int | OuterRef) -> QuerySet[Delivery]:
    """The deliveries of a subscription, newest first."""
    return Delivery.objects.filter(subscription=subscription).order_by("-created_at")


def recent(deliveries: QuerySet[Delivery]) -> ArraySubquery:
    """The first of the deliveries of each row, for `health`."""
    fields = {name: name for name in ("status", "attempts_count", "created_at")}
    return ArraySubquery(deliveries.values(json=JSONObject(**fields))[:RECENT])


@dataclass(frozen=True)
class _Bar:
    kind: str
    x: int
    y: int
    height: int
    title: str


def health(deliveries: Sequence[dict[str, Any]], slots: int = RECENT) -> SafeString:
    """A bar for each delivery, the newest at the right: up is delivered, down is not."""
    bars = [_bar(_STEP * (slots - 1 - place), each) for place, each in enumerate(deliveries)]
    ended = [bar for bar in bars if bar.kind != "waiting"]
    arrived = sum(bar.kind == "delivered" for bar in ended)
    context = {
        "bars": bars[::-1],
        "width": _STEP * slots - 2,
        "baseline": _BASELINE,
        "text": f"{arrived} of {len(ended)}" if ended else "Nothing yet",
    }
    return SafeString(render_to_string(_HEALTH, context))


def _bar(x: int, delivery: dict[str, Any]) -> _Bar:
    """Short where it took, or takes, more than one attempt."""
    status, attempts = delivery["status"], delivery["attempts_count"]
    when = moment(datetime.fromisoformat(delivery["created_at"]))
    tries = f"{attempts} attempt{'' if attempts == 1 else 's'}"
    if status == DeliveryStatus.DELIVERED:
        height = 10 if attempts == 1 else 6
        return _Bar("delivered", x, _BASELINE - height - 1, height, f"Delivered, {tries}, {when}")
    if status == DeliveryStatus.FAILED:
        return _Bar("failed", x, _BASELINE + 2, 10, f"Failed, {tries}, {when}")
    if attempts:
        return _Bar("retried", x, _BASELINE + 2, 6, f"Tried again soon, {tries}, {when}")
    return _Bar("waiting", x, _BASELINE - 1, 3, f"Waits, {when}")


def delivery_table(deliveries: Iterable[Delivery], first: str) -> dict[str, list[Any]]:
    """In the form of Unfold's table component; `first` is what is not said by the page."""
    rows = []
    for delivery in deliveries:
        url = reverse("admin:webhooks_delivery_change", args=[delivery.pk])
        named = delivery.event.type if first == "Event" else title_of(delivery.subscription)
        attempts = list(delivery.attempts.all())
        rows.append(
            [
                format_html('<a class="webhook-link" href="{}">{}</a>', url, named),
                label(delivery.status, STATUS_COLORS),
                str(len(attempts) or NOTHING),
                _line(answer(attempts[-1])) if attempts else NOTHING,
                _line(moment(delivery.created_at)),
            ]
        )
    return {"headers": [first, "Status", "Attempts", "Last answer", "Created"], "rows": rows}


def attempt_table(attempts: Iterable[Attempt]) -> dict[str, list[Any]]:
    """Newest first, in the form of Unfold's table component."""
    rows = [
        [
            _line(moment(attempt.started_at)),
            _line(answer(attempt)),
            attempt.error or NOTHING,
            block(attempt.response) if attempt.response else NOTHING,
        ]
        for attempt in sorted(attempts, key=lambda each: -each.pk)
    ]
    return {"headers": ["When", "Answer", "Why it failed", "What came"], "rows": rows}


def answer(attempt: Attempt) -> str:
    """`204 in 38 ms`, or `Nothing in 15.0 s`."""
    return f"{attempt.status_code or 'Nothing'} in {duration(attempt.milliseconds)}"


def _line(text: str) -> SafeString:
    return format_html('<span class="webhook-line">{}</span>', text)


def times(subscription: Subscription) -> list[tuple[str, str, str]]:
    """Title, relative and exact time of what has happened, or will."""
    now = timezone.now()
    steps = [
        ("Created", subscription.created_at),
        ("Failing since", subscription.failing_since),
        ("Disabled", subscription.disabled_at),
    ]
    if (paused := subscription.paused_until) and paused > now:
        steps.append(("Paused until", paused))
    if (ends_at := subscription.previous_secret_ends_at) and ends_at > now:
        steps.append(("Old secret signs until", ends_at))
    return [(title, *ago(when)) for title, when in steps if when]
