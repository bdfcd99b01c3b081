"""Limit the concurrent expensive requests of an organization, over all web processes."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast
from uuid import uuid4

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.views import APIView

from longshore.accounts.authentication import key_of
from longshore.api.cache import ValkeyCache
from longshore.api.errors import ApiError, ErrorCode

logger = logging.getLogger(__name__)

# A lease outlasts this many statements of a request that run into their timeout.
_STATEMENTS = 4
# Without a timeout no length is certain. A request that outlasts its lease lets one more in.
_UNLIMITED_LEASE_SECONDS = 3600
_RETRY_SECONDS = 1
# A sorted set per organization: a member for each slot, its score the end of its lease. The script
# removes ended leases, counts and takes in one step.
_TAKE = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
"""
_FREE = "return redis.call('ZREM', KEYS[1], ARGV[1])"

_View = TypeVar("_View", bound=APIView)
_Arguments = ParamSpec("_Arguments")
_Answer = TypeVar("_Answer")


def expensive(
    spare: int,
) -> Callable[
    [Callable[Concatenate[_View, Request, _Arguments], _Answer]],
    Callable[Concatenate[_View, Request, _Arguments], _Answer],
]:
    """Admit a request before its body is read. Raises ApiError if too many are running.

    spare: the slots that requests of this kind leave for other kinds.
    """

    def decorate(
        handler: Callable[Concatenate[_View, Request, _Arguments], _Answer],
    ) -> Callable[Concatenate[_View, Request, _Arguments], _Answer]:
        @wraps(handler)
        def admitted_only(
            view: _View, request: Request, /, *args: _Arguments.args, **kwargs: _Arguments.kwargs
        ) -> _Answer:
            with admitted(key_of(request).organization_id, spare):
                return handler(view, request, *args, **kwargs)

        return admitted_only

    return decorate


@contextmanager
def admitted(organization_id: str, spare: int = 0) -> Iterator[None]:
    """Hold one of the `API_MAX_EXPENSIVE_REQUESTS` slots of an organization while in the block.

    spare: how many of the slots are not for this request; one slot always is.
    Raises ApiError if none is free. If Valkey does not answer, every request is admitted.
    """
    if not settings.API_MAX_EXPENSIVE_REQUESTS:
        yield
        return
    limit = max(1, settings.API_MAX_EXPENSIVE_REQUESTS - spare)
    key, slot = f"expensive:{organization_id}", uuid4().hex
    valkey = cast("ValkeyCache", cache)
    try:
        free = valkey.run(_TAKE, [key], [limit, _lease_seconds(), slot])
    except RedisError as error:
        logger.warning("Expensive requests are not limited, Valkey does not answer: %s", error)
        yield
        return
    if not free:
        raise too_many(limit)
    try:
        yield
    finally:
        with suppress(RedisError):
            valkey.run(_FREE, [key], [slot])


def _lease_seconds() -> int:
    """Return the seconds after which the slot of a process that died is free."""
    return _STATEMENTS * settings.WEB_STATEMENT_TIMEOUT_SECONDS or _UNLIMITED_LEASE_SECONDS


def too_many(limit: int) -> ApiError:
    text = (
        f"The organization has the maximum of {limit} previews, creations and list pages at the "
        f"same time. Try again in {_RETRY_SECONDS} s."
    )
    details = {"maximum": limit, "retry_after": _RETRY_SECONDS}
    return ApiError(ErrorCode.TOO_MANY_REQUESTS, text, details)
