"""Memory of running programs."""

import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import psutil

SAMPLE_SECONDS = 5
# A program is not sampled until each of its processes has loaded the libraries that it needs.
_MIN_AGE_SECONDS = 60
# Growth that is not considered a leak, from the first to the last quarter of a run.
FLAT_RATIO, FLAT_MEGABYTES = 1.1, 10


def megabytes(processes: Iterable[psutil.Process]) -> float:
    """Return the PSS of processes: each page that n processes share counts 1/n in each of them."""
    return float(sum(each.memory_full_info().pss for each in processes)) / 1e6


@dataclass
class Samples:
    """The memory in megabytes of each program, in the order of time."""

    of: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def quarters(self, name: str) -> list[float]:
        """Return the median of each quarter of a program's samples, at least four."""
        found = self.of[name]
        bounds = [len(found) * quarter // 4 for quarter in range(5)]
        return [statistics.median(found[start:end]) for start, end in pairwise(bounds)]

    def is_flat(self, name: str) -> bool:
        first, *_, last = self.quarters(name)
        return last <= first * FLAT_RATIO + FLAT_MEGABYTES


@contextmanager
def sampling(
    names: Sequence[str], processes_of: Callable[[str], list[psutil.Process]]
) -> Iterator[Samples]:
    """Sample the memory of programs in a thread until the end of the block.

    processes_of: returns the processes of a program.
    """
    samples, stopped = Samples(), threading.Event()

    def sample() -> None:
        while not stopped.wait(SAMPLE_SECONDS):
            for name in names:
                try:
                    processes = processes_of(name)
                    started = max(process.create_time() for process in processes)
                    if time.time() - started >= _MIN_AGE_SECONDS:
                        samples.of[name].append(megabytes(processes))
                except (KeyError, psutil.Error):
                    continue  # It is being killed or started.

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        stopped.set()
        thread.join()
