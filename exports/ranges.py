"""Parts of a file for who goes on with a download (RFC 9110, section 14)."""

import re
from collections.abc import Iterator
from typing import IO

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_READ_BYTES = 1 << 16


class Unsatisfiable(Exception):
    """The file has no such bytes."""


def requested(header: str, size: int) -> range | None:
    """The bytes that a Range header names; None for all, also where it cannot be understood.

    Several ranges are answered with the whole file, as every server may. Raises Unsatisfiable.
    """
    found = _RANGE.fullmatch(header.replace(" ", ""))
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        chosen = range(max(0, size - int(last)), size)
    else:
        chosen = range(int(first), min(size, int(last) + 1) if last else size)
        if last and int(last) < int(first):
            return None
    if not chosen:
        raise Unsatisfiable
    return chosen


def read(file: IO[bytes], chosen: range) -> Iterator[bytes]:
    """These bytes of a file, which is closed after them."""
    with file:
        file.seek(chosen.start)
        remaining = len(chosen)
        while remaining and (block := file.read(min(remaining, _READ_BYTES))):
            remaining -= len(block)
            yield block
