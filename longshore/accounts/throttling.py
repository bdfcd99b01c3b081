"""Rate limits, counted in Valkey across all processes."""

import logging
from math import ceil
from typing import TYPE_CHECKING

from django.conf import settings
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from longshore.accounts.models import ApiKey
from longshore.cache import cache

if TYPE_CHECKING:  # REST framework's views import this module.
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)


class _PeriodThrottle(SimpleRateThrottle):
    """Limits the number of requests per period.

    Periods follow the clock: a minute starts at second 0. If Valkey does not respond, every request
    passes, because availability matters more than an exact limit.
    count: requests of the current period, with this one; 0 if they are not counted.
    limit, seconds: requests of a period, and its length.
    """

    count = limit = seconds = 0

    def allow(self, name: str) -> bool:
        """Count a request under a name; return whether it is within the limit."""
        limit, seconds = self.parse_rate(self.rate)
        if limit is None or seconds is None:
            return True
        self.limit, self.seconds = limit, seconds
        period, elapsed = divmod(self.timer(), seconds)
        self.remaining = seconds - elapsed
        try:
            self.count = _increment(f"throttle:{name}:{period:.0f}", seconds)
        except RedisError as error:
            logger.warning("Requests are not throttled, Valkey does not respond: %s", error)
            return True
        return self.count <= limit

    def wait(self) -> float:
        """Return the seconds until the next period."""
        return self.remaining

    def state(self) -> tuple[int, int, int]:
        """Return the limit, the requests that are left, and the seconds until the next period.

        Call it only if `count` is not 0.
        """
        return self.limit, max(0, self.limit - self.count), ceil(self.wait())


class ApiKeyThrottle(_PeriodThrottle):
    """Limits the requests of an API key to `API_RATE_LIMIT`.

    prefix: of the names of the counters. A subclass with another limit has counters of its own.
    """

    prefix = ""

    def get_rate(self) -> str | None:
        return settings.API_RATE_LIMIT or None

    def allow_request(self, request: Request, view: "APIView") -> bool:
        return not isinstance(request.auth, ApiKey) or self.allow(f"{self.prefix}{request.auth.pk}")


class DenialThrottle(_PeriodThrottle):
    """Limits the 401 and 403 responses of a client IP address to `API_DENIED_RATE_LIMIT`.

    Only denied requests are counted, and get 429 above the limit; valid requests always pass.
    Behind a proxy that `TRUSTED_PROXIES` does not list, all clients share one count.
    """

    def get_rate(self) -> str | None:
        return settings.API_DENIED_RATE_LIMIT or None

    def allow_request(self, request: Request, view: "APIView") -> bool:
        return self.allow(f"denied:{request.META.get('REMOTE_ADDR', '')}")


def _increment(key: str, seconds: int) -> int:
    """Increment a counter and return its value. It expires `seconds` after its creation."""
    try:
        return cache.incr(key)
    except ValueError:  # The key does not exist; one of several concurrent requests adds it.
        return 1 if cache.add(key, 1, timeout=seconds) else cache.incr(key)
