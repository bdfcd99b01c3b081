"""Several readers of one file: what each reads comes out in the order of its parts."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import Full, Queue
from typing import TypeVar

from exports.formats.base import Block

# Of a part that is not yet its turn, about 4 MiB.
_BLOCKS_AHEAD = 32
_STOPPED_SECONDS = 0.2

Task = TypeVar("Task")
# None ends a part.
_Channel = Queue[Block | BaseException | None]


class _Stopped(Exception):
    """Nobody waits for the blocks any more."""


def in_order(
    tasks: Iterator[Task],
    read: Callable[[Task], Iterator[Block]],
    readers: int,
    cancel: Callable[[], None],
) -> Iterator[Block]:
    """The blocks of each task, one task after the other, of which so many are read at once.

    cancel: ends what is being read, when an error is raised, which may be one of `read`, or when
        nobody wants the rest.
    """
    stopped = threading.Event()
    channels: deque[_Channel] = deque()

    def put(channel: _Channel, item: Block | BaseException | None) -> None:
        while not stopped.is_set():
            with suppress(Full):
                return channel.put(item, timeout=_STOPPED_SECONDS)
        raise _Stopped

    def pump(task: Task, channel: _Channel) -> None:
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
                # Whatever it is: who waits for the part would wait for ever.
                put(channel, error)

    with ThreadPoolExecutor(readers, thread_name_prefix="reader") as pool:

        def submit() -> None:
            for task in tasks:
                channels.append(Queue(_BLOCKS_AHEAD))
                pool.submit(pump, task, channels[-1])
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
            # Also where nobody wants the rest: the pool is left only when its threads have ended.
            stopped.set()
            cancel()
            raise
