"""How many senders a target has at a time, so that none keeps so many waiting that others wait too.

A sender is a thread of a worker, which waits for one answer for up to 15 seconds.
"""

import time
from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now
from redis.exceptions import RedisError

from webhooks.events import EventType
from webhooks.models import Delivery, DeliveryStatus, Subscription

# So many for a target that answers quickly, with so many deliveries each. A target that fails, is
# slow, or has never answered gets one sender, with one delivery: the careful ones.
MAX_SENDERS = 4
MAX_DELIVERIES = 20
SLOW = timedelta(seconds=2)
# So many careful senders for all targets of an organization, and in all: of the 32 threads of a
# worker the others are left for targets that are known to be quick.
MAX_UNPROVEN = 12
MAX_UNPROVEN_TOTAL = 24
# The rate of deliveries to a host is counted in windows of this length.
RATE_SECONDS = 1
_CAREFUL = Q(is_quick=False) | Q(consecutive_failures__gt=0)
_SENDING = Delivery.objects.filter(status=DeliveryStatus.SENDING).order_by()


class RateReached(Exception):
    """The organization has used up the rate of deliveries to a host for this second."""


def is_careful(subscription: Subscription) -> bool:
    return not subscription.is_quick or subscription.consecutive_failures > 0


def sendable() -> Q:
    """True of a subscription that is sent to now."""
    unpaused = Q(paused_until=None) | Q(paused_until__lte=Now())
    return unpaused & Q(active=True, deleted_at=None)


def due() -> Q:
    """True of a delivery that is to be sent now. Until a target is proven, only challenges are."""
    proven = Q(subscription__challenge="") | Q(event__type=EventType.WEBHOOK_CHALLENGE)
    return proven & Q(status=DeliveryStatus.PENDING, next_attempt_at__lte=Now())


def admitted(subscription: Subscription) -> int:
    """How many deliveries one more sender may take up; 0 where there are senders enough.

    For a subscription that is locked: racing senders come one after the other, or each would be
    the last one that is allowed. The careful ones of all targets do, too.
    """
    careful = is_careful(subscription)
    if careful:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('webhooks.senders'))")
    with connection.cursor() as cursor:
        same_host = f"webhooks.{subscription.organization_id}.{subscription.host}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [same_host])
    found = _SENDING.filter(subscription__in=_on_host(subscription)).aggregate(
        on_host=Count("claim", distinct=True),
        own=Count("claim", distinct=True, filter=Q(subscription=subscription)),
    )
    if found["own"] >= (1 if careful else MAX_SENDERS):
        return 0
    if (most := settings.WEBHOOK_HOST_SENDERS) and found["on_host"] >= most:
        return 0
    if not careful:
        return MAX_DELIVERIES
    of_organization = Q(subscription__organization=subscription.organization_id)
    found = _SENDING.filter(subscription__in=Subscription.objects.filter(_CAREFUL)).aggregate(
        in_all=Count("claim", distinct=True),
        of_organization=Count("claim", distinct=True, filter=of_organization),
    )
    free = found["of_organization"] < MAX_UNPROVEN and found["in_all"] < MAX_UNPROVEN_TOTAL
    return 1 if free else 0


def granted(subscription: Subscription, number: int) -> int:
    """Return how many of `number` deliveries may be sent to the host in this second; count them.

    All of them if Valkey does not answer.
    """
    rate = settings.WEBHOOK_HOST_RATE
    if rate is None:
        return number
    window = int(time.time() // RATE_SECONDS)
    key = f"webhooks:rate:{subscription.organization_id}:{subscription.host}:{window}"
    try:
        cache.add(key, 0, timeout=2 * RATE_SECONDS)
        # Counting the refused deliveries too does no harm: the rate of this window is used up.
        before = cache.incr(key, number) - number
    except (RedisError, ValueError):
        return number
    return max(0, min(number, rate - before))


def waiting() -> QuerySet[Subscription, int]:
    """The keys of the subscriptions with deliveries that are due, the longest waiting first."""
    deliveries = Delivery.objects.filter(due(), subscription=OuterRef("pk"))
    first = deliveries.order_by("next_attempt_at").values("next_attempt_at")[:1]
    found = Subscription.objects.filter(sendable(), Exists(deliveries)).order_by(Subquery(first))
    return found.values_list("pk", flat=True)


def next_in_line(subscription: Subscription) -> QuerySet[Subscription, int]:
    """Return subscriptions of the same organization that may wait for the sender now free.

    They have the same host, or share the limit of careful senders. Two at most, because senders
    that end at the same time may pick the same ones; the sweep wakes the others.
    """
    sending = _SENDING.filter(subscription=OuterRef("pk"))
    same = Q(host=subscription.host)
    if is_careful(subscription):
        same |= _CAREFUL
    others = waiting().filter(same, organization=subscription.organization_id)
    return others.filter(~Exists(sending)).exclude(pk=subscription.pk)[:2]


def _on_host(subscription: Subscription) -> QuerySet[Subscription]:
    return Subscription.objects.filter(
        organization=subscription.organization_id, host=subscription.host
    ).order_by()
