"""How Celery reaches Valkey, or Redis: kombu's transport, with one fault mended."""

from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis


class Channel(redis.Channel):
    """A channel whose use after its connection was closed raises an error of the connection.

    kombu's raises an AttributeError instead, which Celery does not expect: a worker that loses its
    broker while a task is under way would end when it closes the connection, or acknowledges the
    task. Nothing is lost: the broker delivers the task again, and it finds nothing to do.
    """

    def _connparams(self, **options: Any) -> Any:
        if self.connection is None or self.connection.client is None:
            raise ConnectionError("The connection to the broker is closed.")
        return super()._connparams(**options)  # type: ignore[misc]


class Transport(redis.Transport):
    Channel = Channel


def register() -> None:
    """Use this transport for the broker URLs that have kombu's own."""
    path = f"{Transport.__module__}:{Transport.__qualname__}"
    TRANSPORT_ALIASES.update(redis=path, rediss=path)
