"""Work on one piece while the next ones come."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def overlapped(
    function: Callable[[Piece], Result],
    pieces: Iterable[Piece],
    ahead: int = 1,
    threads: int = 1,
) -> Iterator[Result]:
    """`function` of each piece, in order, in threads of its own while the next ones come.

    ahead: how many pieces may wait for it.
    """
    with ThreadPoolExecutor(threads, thread_name_prefix="overlapped") as pool:
        waiting: deque[Future[Result]] = deque()
        for piece in pieces:
            waiting.append(pool.submit(function, piece))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        for future in waiting:
            yield future.result()
