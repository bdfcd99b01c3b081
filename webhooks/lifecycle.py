"""Every change of a delivery's status, and of whether a subscription is sent to.

Each is one conditional UPDATE; the database's clock says what is due.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from longshore.api import idempotency
from longshore.database.ids import new_id
from webhooks import challenges, outbox, senders
from webhooks.events import EventType
from webhooks.models import Attempt, Delivery, DeliveryStatus, Subscription
from webhooks.sending import Result
from webhooks.targets import host_of

# After an attempt that failed, six times longer each time but for the last ones: three days.
DELAYS = tuple(timedelta(seconds=min(5 * 6**number, 72_000)) for number in range(9))
_SCHEDULE = sum(DELAYS, timedelta())
_JITTER = 0.1
# A sender that has not said what became of its deliveries after this is dead: it sends for no
# longer than `runner.TURN`, and waits for no more than one answer after it.
LEASE = timedelta(seconds=30)
# A target that fails again and again is left alone, twice as long each time; a few failures are
# no outage. Thirty in a row are two and a half days, unless its owner does not wait for them.
_FEW_FAILURES = 2
_MAX_PAUSE = timedelta(hours=4)
# What a target that is overloaded gets where it does not say for how long.
_RELIEF = timedelta(seconds=10)
_OVERLOADED = (429, 503)
_GONE = 410
MAX_FAILURES = 30
MAX_FAILURE_AGE = timedelta(days=5)

# What a subscription begins with, also one that begins anew.
HEALTHY: dict[str, Any] = {
    "consecutive_failures": 0,
    "failing_since": None,
    "paused_until": None,
    "is_quick": False,
}


@dataclass(frozen=True)
class Batch:
    """What one sender has claimed.

    careful: whether it waits for a target that may be slow; more: whether there may be work for
    one more sender.
    """

    subscription: Subscription
    deliveries: list[Delivery]
    claim: str
    careful: bool
    more: bool


def claim(number: int) -> Batch | None:
    """Claim due deliveries of a subscription; None if there are none, or enough senders.

    Raises RateReached if the rate of the target's host is used up for this second.
    """
    with transaction.atomic():
        subscriptions = Subscription.objects.filter(senders.sendable(), pk=number)
        subscription = subscriptions.select_for_update(no_key=True).first()
        if subscription is None or not (most := senders.admitted(subscription)):
            return None
        own = Delivery.objects.filter(subscription=number).order_by()
        deliveries = list(
            own.filter(senders.due())
            .select_related("event")
            .order_by("next_attempt_at", "pk")
            .select_for_update(skip_locked=True, of=("self",))[:most]
        )
        if not deliveries:
            return None
        if not (granted := senders.granted(subscription, len(deliveries))):
            raise senders.RateReached
        deliveries = deliveries[:granted]
        token = new_id("claim")
        own.filter(pk__in=[delivery.pk for delivery in deliveries]).update(
            status=DeliveryStatus.SENDING, claim=token, lease_ends_at=Now() + LEASE
        )
    careful = senders.is_careful(subscription)
    return Batch(subscription, deliveries, token, careful, not careful and len(deliveries) == most)


def record(batch: Batch, results: Sequence[Result]) -> None:
    """Say what became of a batch: of which none but the last may have failed.

    What has no result was not sent, and is due as before. What somebody else has taken up
    meanwhile keeps the status that they give it.
    """
    held = Delivery.objects.filter(claim=batch.claim, status=DeliveryStatus.SENDING)
    numbers = [result.delivery.pk for result in results]
    with transaction.atomic():
        # Deleting an export deletes its deliveries, also while they are being sent.
        sent = Delivery.objects.filter(pk__in=numbers).order_by("pk")
        there = set(sent.select_for_update(no_key=True).values_list("pk", flat=True))
        Attempt.objects.bulk_create(
            _attempt(result) for result in results if result.delivery.pk in there
        )
        if succeeded := [result.delivery.pk for result in results if result.succeeded]:
            held.filter(pk__in=succeeded).update(**_end(DeliveryStatus.DELIVERED))
        for result in results:
            if result.succeeded and result.delivery.event.type == EventType.WEBHOOK_CHALLENGE:
                challenges.accept(batch.subscription, result.delivery.event)
        for result in results[len(succeeded) :]:
            held.filter(pk=result.delivery.pk).update(**_after(result))
        if len(results) < len(batch.deliveries):
            # Those above are not `SENDING` any more.
            held.update(status=DeliveryStatus.PENDING, claim="", lease_ends_at=None)
        _judge(batch.subscription, results)


def _attempt(result: Result) -> Attempt:
    return Attempt(
        delivery=result.delivery,
        started_at=result.started_at,
        milliseconds=result.milliseconds,
        status_code=result.status_code,
        error=result.error,
        response=result.response,
    )


def _end(status: DeliveryStatus) -> dict[str, Any]:
    return {
        "status": status,
        "attempts_count": F("attempts_count") + 1,
        "next_attempt_at": None,
        "completed_at": Now(),
        "claim": "",
        "lease_ends_at": None,
    }


def _after(result: Result) -> dict[str, Any]:
    """What becomes of a delivery that failed: it is pending, or there were attempts enough."""
    attempts = result.delivery.attempts_count
    if attempts >= len(DELAYS) or result.status_code == _GONE:
        return _end(DeliveryStatus.FAILED)
    # Not for security: what failed together need not come back together.
    jitter = random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311
    asked = timedelta(seconds=result.retry_after or 0)
    return _end(DeliveryStatus.PENDING) | {
        "next_attempt_at": Now() + max(DELAYS[attempts] * jitter, asked),
        "completed_at": None,
    }


def _judge(subscription: Subscription, results: Sequence[Result]) -> None:
    """What the results say of the target; where they say nothing new, no row is written."""
    row = Subscription.objects.filter(pk=subscription.pk)
    if not results[-1].succeeded:
        locked = row.select_for_update(no_key=True).get()
        _count_failure(locked, results[-1], anew=len(results) > 1)
        return
    quick = max(result.milliseconds for result in results) <= senders.SLOW.total_seconds() * 1000
    news = Q(consecutive_failures__gt=0) | ~Q(is_quick=quick)
    row.filter(news).update(consecutive_failures=0, failing_since=None, is_quick=quick)
    # What another sender was asked to wait for is not over because of this.
    row.filter(paused_until__lte=Now()).update(paused_until=None)


def _count_failure(subscription: Subscription, result: Result, *, anew: bool) -> None:
    """anew: whether something had succeeded right before."""
    now = timezone.now()
    failures = 1 if anew else subscription.consecutive_failures + 1
    since = now if anew else subscription.failing_since or now
    Subscription.objects.filter(pk=subscription.pk).update(
        consecutive_failures=failures,
        failing_since=since,
        paused_until=max(subscription.paused_until or now, now + _pause(failures, result)),
    )
    if result.status_code == _GONE:
        disable(subscription, "The target answered 410 Gone.")
    elif failures >= MAX_FAILURES:
        disable(subscription, f"{failures} attempts in a row have failed. {result.error}")
    elif now - since >= MAX_FAILURE_AGE:
        days = MAX_FAILURE_AGE.days
        disable(subscription, f"Every attempt has failed for {days} days. {result.error}")


def _pause(failures: int, result: Result) -> timedelta:
    pause = timedelta(0)
    if failures > _FEW_FAILURES:
        pause = min(timedelta(seconds=2 ** (failures - _FEW_FAILURES - 1)), _MAX_PAUSE)
    if result.status_code in _OVERLOADED:
        asked = result.retry_after
        pause = max(pause, _RELIEF if asked is None else timedelta(seconds=asked))
    return pause


def disable(subscription: Subscription, reason: str) -> None:
    """End a subscription on our own account: its organization gets an event and an email."""
    row = Subscription.objects.filter(pk=subscription.pk, active=True, deleted_at=None)
    with transaction.atomic():
        changed = row.update(
            active=False, disabled_at=Now(), disabled_reason=reason, notified_at=None
        )
        if changed:
            data = {
                "id": subscription.public_id,
                "object": "webhook",
                "name": subscription.name,
                "target": subscription.target,
                "reason": reason,
            }
            outbox.publish(subscription.organization_id, EventType.WEBHOOK_DISABLED, data)


def change(subscription: Subscription, values: dict[str, Any]) -> None:
    """Change fields of a subscription. A new target, or activation, resets its failures."""
    anew: dict[str, Any] = {}
    if "target" in values:
        values = values | {"host": host_of(values["target"])}
    if (values.get("active") and not subscription.active) or "target" in values:
        anew = HEALTHY
    if "active" in values:
        anew = anew | {"disabled_at": None, "disabled_reason": "", "notified_at": None}
    row = Subscription.objects.visible().filter(pk=subscription.pk)
    row.update(**values | anew, updated_at=Now())


def delete(subscription: Subscription) -> None:
    """Hide a subscription, end its deliveries and delete its secrets, kept answers included."""
    row = Subscription.objects.visible().filter(pk=subscription.pk)
    with transaction.atomic():
        row.update(deleted_at=Now(), active=False, headers={}, secret="", previous_secret="")
        idempotency.forget(subscription.organization_id, subscription.public_id)


def resume(subscription: Subscription) -> None:
    """End the pause of a subscription, including one requested by Retry-After."""
    Subscription.objects.filter(pk=subscription.pk, paused_until__gt=Now()).update(
        paused_until=None
    )


def redeliver(delivery: Delivery) -> bool:
    """Send one again, as if it had never been tried; false where it is being sent now."""
    row = Delivery.objects.filter(pk=delivery.pk).exclude(status=DeliveryStatus.SENDING)
    return row.update(**_anew()) == 1


def recover(subscription: Subscription, since: datetime) -> int:
    """Send again what has failed of the events since then; how many they are."""
    failed = Delivery.objects.filter(
        subscription=subscription, status=DeliveryStatus.FAILED, event__created_at__gte=since
    )
    return _locked(failed).update(**_anew())


def _anew() -> dict[str, Any]:
    return {
        "status": DeliveryStatus.PENDING,
        "attempts_count": 0,
        "next_attempt_at": Now(),
        "completed_at": None,
    }


def take_back() -> int:
    """Make due again what dead senders hold: it may have been sent, and is sent once more.

    It was an attempt: what kills each of its senders has failed in the end.
    """
    silent = Delivery.objects.filter(status=DeliveryStatus.SENDING, lease_ends_at__lt=Now())
    with transaction.atomic():
        # One that is locked is being recorded.
        locked = silent.select_for_update(skip_locked=True)
        held = Delivery.objects.filter(pk__in=list(locked.values_list("pk", flat=True)))
        last = held.filter(attempts_count__gte=len(DELAYS)).update(**_end(DeliveryStatus.FAILED))
        others = held.filter(status=DeliveryStatus.SENDING)
        again = {"next_attempt_at": Now(), "completed_at": None}
        return last + others.update(**_end(DeliveryStatus.PENDING) | again)


def give_up() -> int:
    """Fail what waits for an inactive subscription, or too long for the answer to a challenge.

    The latter may wait as long as the attempts of a delivery take.
    """
    inactive = Subscription.objects.filter(active=False).values("pk")
    unproven = Subscription.objects.exclude(challenge="").values("pk")
    pending = Delivery.objects.filter(status=DeliveryStatus.PENDING)
    held = pending.filter(subscription__in=unproven, next_attempt_at__lte=Now() - _SCHEDULE)
    held = held.exclude(event__type=EventType.WEBHOOK_CHALLENGE)
    failed = {"status": DeliveryStatus.FAILED, "next_attempt_at": None, "completed_at": Now()}
    with transaction.atomic():
        left = _locked(pending.filter(subscription__in=inactive)).update(**failed)
        return left + _locked(held).update(**failed)


def _locked(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Lock deliveries by key, the order of all locks of several deliveries; return them."""
    rows = deliveries.order_by("pk").select_for_update(of=("self",)).values("pk")
    return Delivery.objects.filter(pk__in=rows)
