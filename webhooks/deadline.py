"""A deadline for a whole request, however its bytes drip in; httpx bounds each read alone."""

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpcore

_WRITE_BYTES = 16 << 10

_ends: ContextVar[float | None] = ContextVar("ends", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What is read and written in this block, by this thread, ends in time."""
    token = _ends.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends.reset(token)


def remaining(timeout: float | None) -> float | None:
    """Of the two times the shorter; 0 or less where none is left."""
    end = _ends.get()
    if end is None:
        return timeout
    left = end - time.monotonic()
    return left if timeout is None else min(timeout, left)


class BoundedStream(httpcore.NetworkStream):
    """A connection on which nobody waits for longer than there is time."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = remaining(timeout)
        if left is not None and left <= 0:
            raise httpcore.ReadTimeout("the time is over")
        return self._stream.read(max_bytes, left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # A long one may be taken in bits, each of them within the timeout.
        for start in range(0, len(buffer), _WRITE_BYTES):
            left = remaining(timeout)
            if left is not None and left <= 0:
                raise httpcore.WriteTimeout("the time is over")
            self._stream.write(buffer[start : start + _WRITE_BYTES], left)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = remaining(timeout)
        if left is not None and left <= 0:
            raise httpcore.ConnectTimeout("the time is over")
        return BoundedStream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
