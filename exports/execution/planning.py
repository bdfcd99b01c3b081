"""Divides the slices of a large export into partitions: a part of the file, or a file, each."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from math import inf

from exports.reading.partitioning import Plan, Slice

# Planned bytes of a part. More than the minimum of S3, 5 MiB, because plans are estimates; not much
# more, because the death of a worker costs the time of a part.
PART_BYTES = 8 << 20
# A partition has at most as much text as this many parts, however well it is compressed.
_MAX_PARTS_OF_TEXT = 64
# After this many partitions their size doubles, at most this often: parts of 256 MiB. So a large
# file has enough numbers, and a worker does not read a partition for long.
_DOUBLING, _MAX_DOUBLINGS = 200, 5
# A file of more bytes might have more partitions than S3 has numbers: it is written by one worker.
MAX_FILE_BYTES = 250 << 30
# A partition that lists the locations of its rows is stored and sent with at most this many: 6 MB.
MAX_LOCATIONS = 400_000


def max_text_bytes(plan: Plan) -> float:
    """Return the maximum of expected bytes of text in one partition."""
    return MAX_LOCATIONS * plan.row_bytes if plan.is_listed else inf


class Planner(ABC):
    """Yields the partitions of an export one by one, when they are needed.

    is_complete: whether all slices were returned.
    slices: those that were not read yet.
    """

    def __init__(self, plan: Plan) -> None:
        self.is_complete = False
        self.slices = plan.slices()
        # What the last partition left of its last slice.
        self._rest: Slice | None = None

    @abstractmethod
    def take(self, ratio: float) -> list[Slice] | None:
        """Return the slices of the next partition; None after the last one.

        ratio: bytes of the file for each expected byte of text.
        """

    def _slices_of(self, size: int) -> Iterator[Slice]:
        """Yield the next slices, with about this many expected bytes; exact for lists."""
        while size > 0:
            following = self._rest or next(self.slices, None)
            if following is None:
                return
            head, self._rest = following.split(size)
            yield head
            size -= head.bytes


class PartPlanner(Planner):
    """Yields partitions that become parts of one file.

    The size of later partitions follows from the parts that were saved meanwhile.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self._max_bytes = max_text_bytes(plan)
        self._number = 0
        # The next partitions. One is held back, because it may have to take the remaining rows.
        self._next: list[list[Slice]] = []
        self._is_read = False

    def take(self, ratio: float) -> list[Slice] | None:
        while not self._is_read and len(self._next) < 2:
            self._read(ratio)
        if not self._next:
            self.is_complete = True
            return None
        self._number += 1
        taken = self._next.pop(0)
        self.is_complete = self._is_read and not self._next
        return taken

    def _read(self, ratio: float) -> None:
        parts = min(_MAX_PARTS_OF_TEXT, 1 / ratio if ratio else _MAX_PARTS_OF_TEXT)
        doublings = min(self._number // _DOUBLING, _MAX_DOUBLINGS)
        size = int(min(int(PART_BYTES * parts) << doublings, self._max_bytes))
        group = list(self._slices_of(size))
        text = sum(each.bytes for each in group)
        self._is_read = text < size
        if self._is_read and text < size / 2 and self._next:
            # A last part of its own would be small.
            self._next[-1] += group
        elif group:
            self._next.append(group)


class FilePlanner(Planner):
    """Yields partitions that become files with a maximum of rows."""

    def __init__(self, plan: Plan, max_rows: int) -> None:
        """Prepare it. plan: its slices are lists. max_rows: of a file."""
        super().__init__(plan)
        self._bytes = max_rows * plan.row_bytes

    def take(self, ratio: float) -> list[Slice] | None:
        taken = list(self._slices_of(self._bytes))
        self.is_complete = sum(each.bytes for each in taken) < self._bytes
        return taken or None
