"""Cache in Valkey.

Values are JSON, because unpickling would execute code of anyone who can write to Valkey.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.core.cache.backends.redis import RedisCache
from django.utils.functional import Promise

logger = logging.getLogger(__name__)


class JsonSerializer:
    """Serialize values as JSON; Django's own serializer would unpickle them."""

    def dumps(self, value: Any) -> int | bytes:
        # INCR needs a bare number.
        return value if type(value) is int else json.dumps(value, default=_plain).encode()

    def loads(self, data: bytes) -> Any:
        """Return the value, or None if the data is not JSON, as for a missing key."""
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            logger.warning("The cache holds a value that is not JSON; it is ignored.")
            return None


def _plain(value: Any) -> Any:
    """A lazy text as text, and a data class as an object; the admin caches results of searches."""
    return str(value) if isinstance(value, Promise) else asdict(value)


class ValkeyCache(RedisCache):
    """Django's cache for Redis, with values in JSON and with scripts."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {"serializer": JsonSerializer, **params.get("OPTIONS", {})}
        super().__init__(server, {**params, "OPTIONS": options})

    def run(self, script: str, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        """Run a Lua script atomically. Keys get the prefix of the cache."""
        names = [self.make_and_validate_key(key) for key in keys]
        client = self._cache.get_client(None, write=True)
        return client.eval(script, len(names), *names, *arguments)
