"""Divides the slices of a large export into partitions: each becomes a part of the file."""

from collections.abc import Iterator

from exports.reading.partitioning import Slice

# Planned bytes of a part. More than the minimum of S3, 5 MiB, because plans are estimates; not much
# more, because the death of a worker costs the time of a part.
PART_BYTES = 8 << 20
# A partition has at most as much text as this many parts, however well it is compressed.
_MAX_PARTS_OF_TEXT = 64
# After this many partitions their size doubles, so that a file of any size has enough numbers.
_DOUBLING = 200


class Planner:
    """Yields the partitions of a file one by one, when they are needed.

    The size of later partitions follows from the parts that were saved meanwhile.

    is_complete: whether all slices were returned.
    """

    def __init__(self, slices: Iterator[Slice]) -> None:
        self.is_complete = False
        self._slices = slices
        self._number = 0
        # What the last partition left of its last slice.
        self._rest: Slice | None = None
        # The next partitions. One is held back, because it may have to take the remaining rows.
        self._next: list[list[Slice]] = []
        self._is_read = False

    def take(self, ratio: float) -> list[Slice] | None:
        """Return the slices of the next partition; None after the last one.

        ratio: bytes of the file for each expected byte of text.
        """
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
        size = int(PART_BYTES * parts) << (self._number // _DOUBLING)
        group = list(self._slices_of(size))
        text = sum(each.bytes for each in group)
        self._is_read = text < size
        if self._is_read and text < size / 2 and self._next:
            # A last part of its own would be small.
            self._next[-1] += group
        elif group:
            self._next.append(group)

    def _slices_of(self, size: int) -> Iterator[Slice]:
        """Yield the next slices, with about this many bytes of text."""
        while size > 0:
            following = self._rest or next(self._slices, None)
            if following is None:
                return
            head, self._rest = following.split(size)
            yield head
            size -= head.bytes
