"""Work on one item in a thread while the caller produces the next one."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_ahead(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    ahead: int = 1,
    threads: int = 1,
) -> Iterator[Result]:
    """Apply a function to each item in threads; yield the results in the order of the items.

    The items are produced in the calling thread while the function runs.

    ahead: maximum of items that are submitted before the result of the first is awaited.
    Raises what the function or the items raise, after the threads have ended.
    """
    with ThreadPoolExecutor(threads, thread_name_prefix="map-ahead") as pool:
        pending: deque[Future[Result]] = deque()
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) > ahead:
                yield pending.popleft().result()
        for future in pending:
            yield future.result()
