"""Limits of concurrent senders and of the delivery rate, so that slow targets do not delay others.

A sender is a thread of a worker. It waits up to 15 seconds for one response.
"""

import time
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now
from redis.exceptions import RedisError

from longshore.cache import cache
from webhooks.events import EventType
from webhooks.models import Delivery, DeliveryStatus, Subscription

# Concurrent senders of a target that responds quickly. A target that is failing, slow or has never
# responded is unproven: it gets one sender, with one delivery.
MAX_SENDERS = 4
# Deliveries per claim. It takes a dozen statements, so a turn continues with larger claims if the
# target is so fast that they take at most CLAIM_SECONDS; other senders of the target wait so long.
DEFAULT_DELIVERIES = 20
MAX_DELIVERIES = 100
CLAIM_SECONDS = 0.25
# A target with slower responses is not quick.
MAX_QUICK_SECONDS = 2
# Concurrent senders of all unproven targets, of an organization and in total. The other threads of
# a worker, which has 32, are left for quick targets.
MAX_UNPROVEN = 12
MAX_UNPROVEN_TOTAL = 24
# Window in which the deliveries to a host are counted for the rate limit.
RATE_SECONDS = 1
_UNPROVEN = Q(is_quick=False) | Q(consecutive_failures__gt=0)
_SENDING = Delivery.objects.filter(status=DeliveryStatus.SENDING).order_by()


@dataclass(frozen=True)
class Slot:
    """Permission for another sender of a subscription.

    deliveries: how many it may claim.
    is_last: whether no further sender would be allowed now.
    """

    deliveries: int
    is_last: bool


class RateLimitReached(Exception):
    """The organization has used up its rate of deliveries to a host for this window."""


def is_unproven(subscription: Subscription) -> bool:
    """Return whether the target is failing, slow, or has never responded."""
    return not subscription.is_quick or subscription.consecutive_failures > 0


def sendable() -> Q:
    """Return the condition of subscriptions that deliveries may be sent to now."""
    unpaused = Q(paused_until=None) | Q(paused_until__lte=Now())
    return unpaused & Q(active=True, deleted_at=None)


def not_held() -> Q:
    """Return the condition of deliveries that need not wait for the target's challenge."""
    return Q(subscription__challenge="") | Q(event__type=EventType.WEBHOOK_CHALLENGE)


def due() -> Q:
    """Return the condition of deliveries that are due.

    Only challenges are due while the target has not repeated its challenge.
    """
    return not_held() & Q(status=DeliveryStatus.PENDING, next_attempt_at__lte=Now())


def free_slot(subscription: Subscription, deliveries: int) -> Slot | None:
    """Return the permission for another sender; None if there are enough.

    deliveries: how many it may claim of a target that is not unproven.

    Call it with the subscription locked: senders that count at the same time would each see the
    last free slot. Advisory locks do the same for senders of one host and of unproven targets.
    """
    unproven = is_unproven(subscription)
    if unproven:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('webhooks.senders'))")
    with connection.cursor() as cursor:
        lock_name = f"webhooks.{subscription.organization_id}.{subscription.host}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [lock_name])
    counts = _SENDING.filter(subscription__in=_on_host(subscription)).aggregate(
        on_host=Count("claim", distinct=True),
        own=Count("claim", distinct=True, filter=Q(subscription=subscription)),
    )
    left = (1 if unproven else MAX_SENDERS) - counts["own"]
    if maximum := settings.WEBHOOK_HOST_SENDERS:
        left = min(left, maximum - counts["on_host"])
    if left <= 0:
        return None
    if not unproven:
        return Slot(deliveries, is_last=left == 1)
    of_organization = Q(subscription__organization=subscription.organization_id)
    counts = _SENDING.filter(subscription__in=Subscription.objects.filter(_UNPROVEN)).aggregate(
        total=Count("claim", distinct=True),
        of_organization=Count("claim", distinct=True, filter=of_organization),
    )
    is_free = counts["of_organization"] < MAX_UNPROVEN and counts["total"] < MAX_UNPROVEN_TOTAL
    return Slot(1, is_last=True) if is_free else None


def next_limit(sent: int, seconds: float) -> int:
    """Return how many deliveries the next claim of a turn may have.

    sent, seconds: the deliveries of the last claim, and the time that they took.
    """
    fitting = int(sent * CLAIM_SECONDS / max(seconds, 0.001))
    return max(DEFAULT_DELIVERIES, min(MAX_DELIVERIES, fitting))


def consume_rate(subscription: Subscription, count: int) -> int:
    """Count deliveries against the rate limit of the target's host.

    Returns how many of them may be sent now; all of them if Valkey does not respond.
    """
    rate = settings.WEBHOOK_HOST_RATE
    if rate is None:
        return count
    window = int(time.time() // RATE_SECONDS)
    key = f"webhooks:rate:{subscription.organization_id}:{subscription.host}:{window}"
    try:
        cache.add(key, 0, timeout=2 * RATE_SECONDS)
        # Refused deliveries are counted too: the rate of this window is used up. So are deliveries
        # that a sender claims and returns after a failure: at most a claim in each second.
        before = cache.incr(key, count) - count
    except (RedisError, ValueError):
        return count
    return max(0, min(count, rate - before))


def due_subscriptions() -> QuerySet[Subscription, int]:
    """Return the keys of the subscriptions with due deliveries, the longest waiting first."""
    deliveries = Delivery.objects.filter(due(), subscription=OuterRef("pk"))
    first = deliveries.order_by("next_attempt_at").values("next_attempt_at")[:1]
    found = Subscription.objects.filter(sendable(), Exists(deliveries)).order_by(Subquery(first))
    return found.values_list("pk", flat=True)


def next_subscriptions(subscription: Subscription) -> QuerySet[Subscription, int]:
    """Return the keys of subscriptions that may have waited for the sender that is now free.

    They belong to the same organization and have the same host or share the limit of unproven
    targets. At most two, because senders that end at the same time may pick the same ones. The
    sweep wakes the others.
    """
    sending = _SENDING.filter(subscription=OuterRef("pk"))
    same_limit = Q(host=subscription.host)
    if is_unproven(subscription):
        same_limit |= _UNPROVEN
    others = due_subscriptions().filter(same_limit, organization=subscription.organization_id)
    return others.filter(~Exists(sending)).exclude(pk=subscription.pk)[:2]


def _on_host(subscription: Subscription) -> QuerySet[Subscription]:
    return Subscription.objects.filter(
        organization=subscription.organization_id, host=subscription.host
    ).order_by()
