"""Longshore's cache in Valkey, apart from the caches of a project, with values as JSON.

`settings.CACHES` does not change it, so a project may declare any caches, serializers and key
functions. The first use reads `settings.CACHE_URL`; later changes of it have no effect.
Unpickling would execute the code of anyone who can write to Valkey.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, cast

from django.conf import settings
from django.core.cache.backends.redis import RedisCache
from django.utils.functional import Promise, SimpleLazyObject

logger = logging.getLogger(__name__)


class JsonSerializer:
    """Serialize values as JSON. Django's default serializer unpickles them."""

    def dumps(self, value: Any) -> int | bytes:
        # INCR needs a bare number.
        return value if type(value) is int else json.dumps(value, default=_plain).encode()

    def loads(self, data: bytes) -> Any:
        """Return the value, or None if the data is not JSON, as for a missing key."""
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            logger.warning("Ignored a value in the cache that is not JSON.")
            return None


def _plain(value: Any) -> Any:
    """Convert a lazy text to a text and a data class to an object: the admin caches both."""
    return str(value) if isinstance(value, Promise) else asdict(value)


class ValkeyCache(RedisCache):
    """Django's Redis cache with JSON values and Lua scripts."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        # A server that does not respond must not delay a request.
        timeouts = {"socket_connect_timeout": 0.3, "socket_timeout": 1, "retry": None}
        options = {"serializer": JsonSerializer, **timeouts, **params.get("OPTIONS", {})}
        super().__init__(server, {**params, "OPTIONS": options})

    def run(self, script: str, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        """Run a Lua script atomically. Keys get the prefix of the cache."""
        names = [self.make_and_validate_key(key) for key in keys]
        client = self._cache.get_client(None, write=True)
        return client.eval(script, len(names), *names, *arguments)


def _connect() -> ValkeyCache:
    return ValkeyCache(settings.CACHE_URL, {"KEY_PREFIX": "longshore"})


# One instance for all threads: clients of Valkey are safe in threads, and after a fork.
cache = cast("ValkeyCache", SimpleLazyObject(_connect))
