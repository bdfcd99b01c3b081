"""Rate limits, counted in Valkey for all processes together."""

import logging
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from longshore.accounts.models import ApiKey

if TYPE_CHECKING:  # REST framework's views import this module.
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)


class _PeriodThrottle(SimpleRateThrottle):
    """A number of requests in each period.

    Periods follow the clock (a minute's begins at second 0). Where Valkey does not answer,
    every request passes: an export is worth more than an exact count.
    """

    def allow(self, name: str) -> bool:
        """Count one more under a name; whether it is within the limit."""
        limit, seconds = self.parse_rate(self.rate)
        if limit is None or seconds is None:
            return True
        period, elapsed = divmod(self.timer(), seconds)
        self.remaining = seconds - elapsed
        try:
            count = _increment(f"throttle:{name}:{period:.0f}", seconds)
        except RedisError as error:
            logger.warning("Requests are not throttled, Valkey does not answer: %s", error)
            return True
        return count <= limit

    def wait(self) -> float:
        """Seconds until the next period begins."""
        return self.remaining


class ApiKeyThrottle(_PeriodThrottle):
    """At most `API_RATE_LIMIT` ("600/min", "" for no limit) requests of a key."""

    def get_rate(self) -> str | None:
        return settings.API_RATE_LIMIT or None

    def allow_request(self, request: Request, view: "APIView") -> bool:
        return not isinstance(request.auth, ApiKey) or self.allow(str(request.auth.pk))


class DenialThrottle(_PeriodThrottle):
    """At most `API_DENIED_RATE_LIMIT` ("60/min", "" for no limit) denials of a client address.

    Only requests that are denied anyway are counted and answered 429. The address is the client's
    where `TRUSTED_PROXIES` names the proxy, else that of the connection: all clients behind a proxy
    that is not trusted share one count, but their valid requests always pass.
    """

    def get_rate(self) -> str | None:
        return settings.API_DENIED_RATE_LIMIT or None

    def allow_request(self, request: Request, view: "APIView") -> bool:
        return self.allow(f"denied:{request.META.get('REMOTE_ADDR', '')}")


def _increment(key: str, seconds: int) -> int:
    """The count of `key` after adding this one; it starts again after `seconds`."""
    try:
        return cache.incr(key)
    except ValueError:  # Not there yet; of those who find so at once, one adds it.
        return 1 if cache.add(key, 1, timeout=seconds) else cache.incr(key)
