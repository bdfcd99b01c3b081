"""kombu's transport for Valkey and Redis, with one bug fixed."""

from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis


class Channel(redis.Channel):
    """A channel that raises ConnectionError when it is used after its connection was closed.

    kombu's channel raises AttributeError, which Celery does not handle: a worker that loses its
    broker during a task would exit when it closes the connection or acknowledges the task. The
    error loses nothing: the broker redelivers the task, which then does nothing.
    """

    def _connparams(self, **options: Any) -> Any:
        if self.connection is None or self.connection.client is None:
            raise ConnectionError("The connection to the broker is closed.")
        return super()._connparams(**options)  # type: ignore[misc]


class Transport(redis.Transport):
    Channel = Channel


def register() -> None:
    """Use this transport for broker URLs of Valkey and Redis."""
    path = f"{Transport.__module__}:{Transport.__qualname__}"
    TRANSPORT_ALIASES.update(redis=path, rediss=path)
