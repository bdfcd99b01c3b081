"""A receiver of webhooks in a process of its own. Responds at once and stores the messages."""

import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from standardwebhooks import Webhook

_MAX_SECONDS = 120


@dataclass
class Received:
    """at: time of arrival, in seconds since 1970."""

    at: float
    head: bytes
    body: bytes

    def verify(self, secret: str) -> None:
        Webhook(secret).verify(self.body, self.headers)

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.decode().split("\r\n")[1:]
        return dict(line.split(": ", 1) for line in lines)

    @property
    def path(self) -> str:
        return self.head.split(b" ", 2)[1].decode()


class Receiver:
    """The receiver as other processes see it. pid: of its process."""

    def __init__(self, pid: int, commands: Connection) -> None:
        self.pid, self._commands = pid, commands
        self.port: int = commands.recv()

    def clear(self) -> None:
        """Forget all messages."""
        self._ask("clear")

    def received(self) -> list[Received]:
        """Return all messages in the order of their arrival."""
        messages: list[Received] = self._ask("messages")
        return messages

    def wait_for(self, count: int) -> None:
        """Wait until `count` messages have arrived."""
        deadline = time.monotonic() + _MAX_SECONDS
        while (arrived := self._ask("count")) < count:
            if time.monotonic() > deadline:
                raise SystemExit(f"Of {count} deliveries {arrived} came.")
            time.sleep(0.01)

    def _ask(self, command: str) -> Any:
        self._commands.send(command)
        return self._commands.recv()


class _Protocol(asyncio.Protocol):
    def __init__(self, messages: list[Received]) -> None:
        self._messages, self._buffer = messages, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
        if len(rest) >= length:
            self._buffer = rest[length:]
            self._messages.append(Received(time.time(), head, rest[:length]))
            self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")


def _serve(commands: Connection) -> None:
    asyncio.run(_receive(commands))


async def _receive(commands: Connection) -> None:
    messages: list[Received] = []
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    server = await loop.create_server(lambda: _Protocol(messages), "127.0.0.1", 0)

    def respond() -> None:
        try:
            command = commands.recv()
        except EOFError:
            ended.set()
            loop.remove_reader(commands.fileno())
            return
        commands.send({"count": len(messages), "messages": messages}.get(command))
        if command == "clear":
            messages.clear()

    loop.add_reader(commands.fileno(), respond)
    commands.send(server.sockets[0].getsockname()[1])
    await ended.wait()


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver until the end of the block."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,))
    process.start()
    theirs.close()
    try:
        yield Receiver(process.pid or 0, ours)
    finally:
        ours.close()
        process.join()
