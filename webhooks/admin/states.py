"""What subscriptions and deliveries do now, in words. All pages of the admin use these words."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import Q, TextChoices
from django.utils import timezone

from longshore.jobs.admin.presentation import duration
from webhooks.admin.causes import cause_of, status_text
from webhooks.events import EventType
from webhooks.lifecycle.results import DELAYS
from webhooks.models import Attempt, Delivery, DeliveryStatus, Subscription
from webhooks.sending import GONE

STATUS_COLORS = {
    DeliveryStatus.PENDING: "info",
    DeliveryStatus.SENDING: "primary",
    DeliveryStatus.DELIVERED: "success",
    DeliveryStatus.FAILED: "danger",
}
# The color of a pending delivery whose last attempt failed.
RETRY_COLOR = "warning"
# Pages of deliveries whose next attempt is nearer than this are refreshed by themselves.
_LIVE = timedelta(minutes=1)
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


class State(TextChoices):
    """Overall state of a subscription: whether it is sent to, and whether its target works."""

    ACTIVE = "active", "Active"
    UNVERIFIED = "unverified", "Unverified"
    FAILING = "failing", "Failing"
    INACTIVE = "inactive", "Inactive"
    DISABLED = "disabled", "Disabled"


STATE_COLORS = {
    State.ACTIVE: "success",
    State.UNVERIFIED: "info",
    State.FAILING: "warning",
    State.INACTIVE: "default",
    State.DISABLED: "danger",
}
_VERIFIED = Q(active=True, challenge="")
# The conditions of `state_of`. Each subscription meets exactly one.
CONDITIONS: Mapping[State, Q] = {
    State.ACTIVE: _VERIFIED & Q(consecutive_failures=0),
    State.UNVERIFIED: Q(active=True) & ~Q(challenge=""),
    State.FAILING: _VERIFIED & Q(consecutive_failures__gt=0),
    State.INACTIVE: Q(active=False, disabled_at=None),
    State.DISABLED: Q(active=False, disabled_at__isnull=False),
}


def state_of(subscription: Subscription) -> State:
    if not subscription.active:
        return State.DISABLED if subscription.disabled_at else State.INACTIVE
    if subscription.challenge:
        return State.UNVERIFIED
    return State.FAILING if subscription.consecutive_failures else State.ACTIVE


def subscription_sentence(subscription: Subscription, next_attempt_at: datetime | None) -> str:
    """Return the state of a subscription as sentences.

    next_attempt_at: of its first pending delivery that is not held; None if there is none.
    """
    state = state_of(subscription)
    if state is State.INACTIVE:
        return "Switched off: nothing is sent."
    if state is State.DISABLED:
        reason = _last_cause(subscription) or subscription.disabled_reason.rstrip(".")
        return f"Disabled by Longshore {_ago(subscription.disabled_at)} ago: {reason}."
    if state is State.UNVERIFIED:
        failure = _last_cause(subscription)
        last = f" Last attempt: {failure}." if failure else ""
        upcoming = _next_attempt(subscription, next_attempt_at)
        return f"Only challenges are sent until the target repeats one.{last} {upcoming}"
    if state is State.FAILING:
        reason = _last_cause(subscription)
        cause = f": {reason}" if reason else ""
        since = f"Failing for {_ago(subscription.failing_since)}{cause}."
        return f"{since} {_next_attempt(subscription, next_attempt_at)}"
    return _next_attempt(subscription, next_attempt_at)


def _last_cause(subscription: Subscription) -> str:
    return cause_of(subscription.last_error).words if subscription.last_error else ""


def _next_attempt(subscription: Subscription, first: datetime | None) -> str:
    if first is None:
        return "No delivery is waiting."
    return f"Next attempt {_until(_resumed(subscription, first))}."


def delivery_state(delivery: Delivery, last: Attempt | None) -> tuple[str, str, str]:
    """Return label, color and explanation of the state of a delivery of a loaded subscription.

    last: the newest attempt; None before the first one.
    """
    status = DeliveryStatus(delivery.status)
    color = STATUS_COLORS[status]
    failure = last.error if last else ""
    reason = cause_of(failure, last.status_code).words if last and failure else ""
    match status:
        case DeliveryStatus.SENDING:
            return "Sending", color, "Waiting for the response."
        case DeliveryStatus.DELIVERED:
            return "Delivered", color, f"{outcome(last)}." if last else ""
        case DeliveryStatus.FAILED:
            return "Failed", color, _failed(delivery, last, reason)
    if reason and delivery.attempts_count:
        text = f"{reason[:1].upper()}{reason[1:]}, {_when_sent(delivery, 'retry')}."
        return "Retrying", RETRY_COLOR, text
    when = _when_sent(delivery, "attempt")
    return "Pending", color, f"{when[:1].upper()}{when[1:]}."


def next_attempt_of(delivery: Delivery) -> datetime | None:
    """Return when a pending delivery is sent; None if it is not pending or is held."""
    subscription = delivery.subscription
    is_held = subscription.challenge and delivery.event.type != EventType.WEBHOOK_CHALLENGE
    if delivery.next_attempt_at is None or is_held or not subscription.active:
        return None
    return _resumed(subscription, delivery.next_attempt_at)


def changes_soon(delivery: Delivery) -> bool:
    """Return whether a page that shows this delivery should be refreshed by itself."""
    if delivery.status == DeliveryStatus.SENDING:
        return True
    upcoming = next_attempt_of(delivery)
    return upcoming is not None and upcoming < timezone.now() + _LIVE


def _failed(delivery: Delivery, last: Attempt | None, reason: str) -> str:
    count = delivery.attempts_count
    if not count:
        return "Not sent: the webhook was inactive or unverified."
    after = f"after {count} attempt{'' if count == 1 else 's'}"
    reason = reason or "unknown"
    if count > len(DELAYS) or (last and last.status_code == GONE):
        return f"Gave up {after}: {reason}."
    return f"Stopped {after}: the webhook became inactive or unverified. Last attempt: {reason}."


def _when_sent(delivery: Delivery, noun: str) -> str:
    """Return when a pending delivery is sent, such as `retry in 2 min`."""
    subscription = delivery.subscription
    if not subscription.active:
        return "not sent, because the webhook is inactive"
    if subscription.challenge and delivery.event.type != EventType.WEBHOOK_CHALLENGE:
        return "held until the target repeats its challenge"
    assert delivery.next_attempt_at is not None  # noqa: S101 (a constraint of the table)
    return f"{noun} {_until(_resumed(subscription, delivery.next_attempt_at))}"


def _resumed(subscription: Subscription, when: datetime) -> datetime:
    """Return the first time from `when` on at which the subscription is not paused."""
    paused_until = subscription.paused_until
    return max(when, paused_until) if paused_until else when


def outcome(attempt: Attempt) -> str:
    """Return `204 No Content in 38 ms`, or `No response in 15.0 s`."""
    elapsed = duration(timedelta(milliseconds=attempt.milliseconds))
    response = status_text(attempt.status_code) if attempt.status_code else "No response"
    return f"{response} in {elapsed}"


def _until(when: datetime) -> str:
    left = when - timezone.now()
    return f"in {_span(left)}" if left > timedelta(seconds=1) else "due now"


def _ago(when: datetime | None) -> str:
    return _span(timezone.now() - when) if when else "an unknown time"


def _span(elapsed: timedelta) -> str:
    """Return a time in its largest unit, such as `2 min`."""
    seconds = max(1, round(elapsed.total_seconds()))
    size, unit = next(each for each in _UNITS if seconds >= each[0])
    return f"{round(seconds / size)} {unit}"
