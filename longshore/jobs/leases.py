"""Leases in Valkey: one process at a time runs a maintenance task."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from redis.exceptions import RedisError

from longshore.cache import cache
from longshore.database.ids import new_id


@contextmanager
def lease(name: str, seconds: int) -> Iterator[bool]:
    """Yield True if this process holds the lease until the end of the block.

    seconds: the TTL, which ends the lease of a process that died.
    If Valkey does not respond, every process holds the lease: use it only where concurrent runs
    are harmless.
    """
    key, token = f"lease:{name}", new_id("lease")
    try:
        is_held: bool = cache.add(key, token, timeout=seconds)
    except RedisError:
        is_held = True
    try:
        yield is_held
    finally:
        if is_held:
            with suppress(RedisError):
                if cache.get(key) == token:
                    cache.delete(key)
