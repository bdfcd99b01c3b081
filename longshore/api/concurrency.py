"""Limit the concurrent expensive requests of an organization, across all web processes."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar
from uuid import uuid4

from django.conf import settings
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.views import APIView

from longshore.accounts.authentication import key_of
from longshore.api.errors import ApiError, ErrorCode
from longshore.cache import cache

logger = logging.getLogger(__name__)

# A lease lasts for this many statements that reach their timeout.
_LEASE_STATEMENTS = 4
# Without a statement timeout. A request that outlasts its lease admits one request too many.
_UNLIMITED_LEASE_SECONDS = 3600
_RETRY_SECONDS = 1
# A sorted set per organization has a member for each slot; its score is the end of its lease. The
# script removes expired leases, counts the others and takes a slot, atomically.
_ACQUIRE = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
"""
_COUNT = "return redis.call('ZCOUNT', KEYS[1], redis.call('TIME')[1], '+inf')"
_RELEASE = "return redis.call('ZREM', KEYS[1], ARGV[1])"

_View = TypeVar("_View", bound=APIView)
_Arguments = ParamSpec("_Arguments")
_Response = TypeVar("_Response")


def expensive(
    spare: int,
) -> Callable[
    [Callable[Concatenate[_View, Request, _Arguments], _Response]],
    Callable[Concatenate[_View, Request, _Arguments], _Response],
]:
    """Decorate a method of a view: admit a request before its body is read.

    spare: slots that requests of this kind leave for other kinds.
    Raises ApiError if too many expensive requests are running.
    """

    def decorate(
        handler: Callable[Concatenate[_View, Request, _Arguments], _Response],
    ) -> Callable[Concatenate[_View, Request, _Arguments], _Response]:
        @wraps(handler)
        def admitted_only(
            view: _View, request: Request, /, *args: _Arguments.args, **kwargs: _Arguments.kwargs
        ) -> _Response:
            with admitted(key_of(request).organization_id, spare):
                return handler(view, request, *args, **kwargs)

        return admitted_only

    return decorate


@contextmanager
def admitted(organization_id: str, spare: int = 0) -> Iterator[None]:
    """Hold one of the `API_MAX_EXPENSIVE_REQUESTS` slots of an organization during the block.

    spare: as for `slots`.
    Raises ApiError if no slot is free. If Valkey does not respond, every request is admitted.
    """
    if not settings.API_MAX_EXPENSIVE_REQUESTS:
        yield
        return
    limit = slots(spare)
    key, slot = _key(organization_id), uuid4().hex
    try:
        acquired = cache.run(_ACQUIRE, [key], [limit, _lease_seconds(), slot])
    except RedisError as error:
        logger.warning("Expensive requests are not limited: Valkey does not respond: %s", error)
        yield
        return
    if not acquired:
        raise too_many(limit)
    try:
        yield
    finally:
        with suppress(RedisError):
            cache.run(_RELEASE, [key], [slot])


def slots(spare: int = 0) -> int:
    """Return the number of slots of an organization for requests that leave `spare` to others.

    At least one slot stays available.
    """
    return max(1, settings.API_MAX_EXPENSIVE_REQUESTS - spare)


def running(organization_id: str) -> int | None:
    """Return the number of slots that are in use; None if Valkey does not respond."""
    try:
        return int(cache.run(_COUNT, [_key(organization_id)], []))
    except RedisError:
        return None


def _key(organization_id: str) -> str:
    return f"expensive:{organization_id}"


def _lease_seconds() -> int:
    """Return the seconds after which the slot of a process that died is free again."""
    return _LEASE_STATEMENTS * settings.WEB_STATEMENT_TIMEOUT_SECONDS or _UNLIMITED_LEASE_SECONDS


def too_many(limit: int) -> ApiError:
    text = (
        f"The organization has reached the limit of {limit} concurrent previews, creations, "
        f"list pages and retrieved records. Try again in {_RETRY_SECONDS} s."
    )
    details = {"maximum": limit, "retry_after": _RETRY_SECONDS}
    return ApiError(ErrorCode.TOO_MANY_REQUESTS, text, details)
