"""How often a key may ask, counted in Valkey for all processes together."""

import logging
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from accounts.models import ApiKey

if TYPE_CHECKING:  # REST framework's views import this module.
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)


class ApiKeyThrottle(SimpleRateThrottle):
    """At most `API_RATE_LIMIT` ("600/min", "" for no limit) requests of a key in each period.

    Periods follow the clock (a minute's begins at second 0). Where Valkey does not answer,
    every request passes: an export is worth more than an exact count.
    """

    def get_rate(self) -> str | None:
        return settings.API_RATE_LIMIT or None

    def allow_request(self, request: Request, view: "APIView") -> bool:
        limit, seconds = self.parse_rate(self.rate)
        if limit is None or seconds is None or not isinstance(request.auth, ApiKey):
            return True
        period, elapsed = divmod(self.timer(), seconds)
        self.remaining = seconds - elapsed
        try:
            count = _increment(f"throttle:{request.auth.pk}:{period:.0f}", seconds)
        except RedisError as error:
            logger.warning("Requests are not throttled, Valkey does not answer: %s", error)
            return True
        return count <= limit

    def wait(self) -> float:
        """Seconds until the next period begins."""
        return self.remaining


def _increment(key: str, seconds: int) -> int:
    """The count of `key` after adding this one; it starts again after `seconds`."""
    try:
        return cache.incr(key)
    except ValueError:  # Not there yet; of those who find so at once, one adds it.
        return 1 if cache.add(key, 1, timeout=seconds) else cache.incr(key)
