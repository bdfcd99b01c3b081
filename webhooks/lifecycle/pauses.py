"""Pauses of targets that fail repeatedly, and the limits after which they are disabled."""

from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from webhooks import senders
from webhooks.lifecycle import activation
from webhooks.models import Subscription
from webhooks.sending import GONE, Result

# Consecutive failures that are not considered an outage yet.
_TOLERATED_FAILURES = 2
_MAX_PAUSE = timedelta(hours=4)
_OVERLOADED = (429, 503)
# Pause of an overloaded target that sent no Retry-After.
_DEFAULT_OVERLOAD_PAUSE = timedelta(seconds=10)
# With the pauses between them, 30 consecutive failures take about two and a half days, unless the
# owner ends the pauses.
MAX_FAILURES = 30
MAX_FAILURE_AGE = timedelta(days=5)


def update_health(subscription: Subscription, results: Sequence[Result]) -> None:
    """Update the failures, the pause and the speed of a target after attempts.

    results: in order; only the last one may be a failure. Writes no row if nothing has changed, or
        if the subscription has got another target since the attempts.
    """
    row = Subscription.objects.filter(pk=subscription.pk, target=subscription.target)
    if not results[-1].succeeded:
        locked = row.select_for_update(no_key=True).first()
        if locked is not None:
            _count_failure(locked, results[-1], is_first=len(results) > 1)
        return
    slowest = max(result.milliseconds for result in results)
    is_quick = slowest <= senders.MAX_QUICK_SECONDS * 1000
    changed = Q(consecutive_failures__gt=0) | ~Q(is_quick=is_quick)
    row.filter(changed).update(
        consecutive_failures=0, failing_since=None, last_error="", is_quick=is_quick
    )
    # A pause that a target requested from another sender by Retry-After still applies.
    row.filter(paused_until__lte=Now()).update(paused_until=None)


def pause_after(failures: int, result: Result) -> timedelta:
    """Return how long to pause a target after a failure.

    failures: number of consecutive failures, including this one. From the third on, the pause is
    1 s, doubling up to 4 h. An overloaded target is paused for at least its Retry-After.
    """
    pause = timedelta(0)
    if failures > _TOLERATED_FAILURES:
        pause = min(timedelta(seconds=2 ** (failures - _TOLERATED_FAILURES - 1)), _MAX_PAUSE)
    if result.status_code in _OVERLOADED:
        requested = result.retry_after
        overload_pause = (
            _DEFAULT_OVERLOAD_PAUSE if requested is None else timedelta(seconds=requested)
        )
        pause = max(pause, overload_pause)
    return pause


def end_pause(subscription: Subscription) -> None:
    """End the pause of a subscription, including one requested by Retry-After."""
    Subscription.objects.filter(pk=subscription.pk, paused_until__gt=Now()).update(
        paused_until=None
    )


def _count_failure(subscription: Subscription, result: Result, *, is_first: bool) -> None:
    """Count a failure of a locked subscription; pause its target, or disable it.

    is_first: true if the attempt before this one succeeded.
    """
    now = timezone.now()
    failures = 1 if is_first else subscription.consecutive_failures + 1
    since = now if is_first else subscription.failing_since or now
    Subscription.objects.filter(pk=subscription.pk).update(
        consecutive_failures=failures,
        failing_since=since,
        last_error=result.error,
        paused_until=max(subscription.paused_until or now, now + pause_after(failures, result)),
    )
    if result.status_code == GONE:
        activation.disable(subscription, "The target responded with 410 Gone.")
    elif failures >= MAX_FAILURES:
        reason = f"{failures} consecutive attempts failed. Last error: {result.error}"
        activation.disable(subscription, reason)
    elif now - since >= MAX_FAILURE_AGE:
        days = MAX_FAILURE_AGE.days
        reason = f"All attempts of the last {days} days failed. Last error: {result.error}"
        activation.disable(subscription, reason)
