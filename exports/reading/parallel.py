"""Reads several partitions at once, and yields their blocks in the order of the partitions."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import Full, Queue
from typing import TypeAlias, TypeVar

from exports.formats.base import Block

# Read-ahead of a partition whose turn has not come: this much and at most one block more.
MAX_BYTES_AHEAD = 4 << 20
# How often a waiting reader checks whether it was stopped.
_STOP_CHECK_SECONDS = 0.2

Task = TypeVar("Task")
# None ends a partition.
_Item: TypeAlias = Block | BaseException | None


class _Stopped(Exception):
    """The consumer ended: no more blocks are needed."""


class _Channel(Queue[_Item]):
    """The blocks of one partition, from its reader to the consumer; bounded in bytes.

    A bound on the number of blocks would not bound memory: a block of large rows may have 30 MiB.
    """

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self._bytes = 0

    def _qsize(self) -> int:
        return self._bytes

    def _put(self, item: _Item) -> None:
        super()._put(item)
        self._bytes += _size(item)

    def _get(self) -> _Item:
        item = super()._get()
        self._bytes -= _size(item)
        return item


def _size(item: _Item) -> int:
    """Return the bytes of an item; at least 1, so that a queue that holds it is not empty."""
    return item.size + 1 if isinstance(item, Block) else 1


def read_in_order(
    tasks: Iterator[Task],
    read: Callable[[Task], Iterator[Block]],
    readers: int,
    cancel: Callable[[], None],
) -> Iterator[Block]:
    """Yield the blocks of each task, one task after the other, while other tasks are read.

    tasks: the partitions, in the order of the file.
    read: yields the blocks of a task. It runs in threads.
    readers: the number of tasks that are read at once.
    cancel: makes running reads end. Called after an error, which is then raised in the turn of its
        task, and if the generator is closed before its end.
    """
    stopped = threading.Event()
    channels: deque[_Channel] = deque()

    def put(channel: _Channel, item: _Item) -> None:
        while not stopped.is_set():
            with suppress(Full):
                return channel.put(item, timeout=_STOP_CHECK_SECONDS)
        raise _Stopped

    def run(task: Task, channel: _Channel) -> None:
        with suppress(_Stopped):
            if stopped.is_set():
                return
            try:
                for block in read(task):
                    put(channel, block)
                put(channel, None)
            except _Stopped:
                raise
            except BaseException as error:
                # Any error: without it, the consumer would wait forever.
                put(channel, error)

    with ThreadPoolExecutor(readers, thread_name_prefix="reader") as pool:

        def submit() -> None:
            for task in tasks:
                channels.append(_Channel(MAX_BYTES_AHEAD))
                pool.submit(run, task, channels[-1])
                return

        try:
            for _ in range(readers + 1):
                submit()
            while channels:
                channel = channels.popleft()
                while (item := channel.get()) is not None:
                    if isinstance(item, BaseException):
                        raise item
                    yield item
                submit()
        except BaseException:
            # Includes GeneratorExit. Leaving the pool waits until its threads have ended.
            stopped.set()
            cancel()
            raise
