"""Creation times and ids of demo records, as functions of the record's number.

The id of a record is computed from its number, so memory use does not grow with the number of
records. Times are milliseconds since 1970, UTC.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

_FIRST = datetime(2024, 1, 1, tzinfo=UTC)
_LAST = datetime(2025, 6, 30, tzinfo=UTC)
# Peaks: a period, and the share of all records that falls into it. The short ones contain the clock
# changes in the United States and in Europe.
_PEAKS = (
    (datetime(2024, 12, 1, tzinfo=UTC), datetime(2024, 12, 18, tzinfo=UTC), 0.20),
    (datetime(2024, 3, 10, 5, tzinfo=UTC), datetime(2024, 3, 10, 12, tzinfo=UTC), 0.02),
    (datetime(2024, 11, 3, 4, tzinfo=UTC), datetime(2024, 11, 3, 11, tzinfo=UTC), 0.02),
    (datetime(2024, 3, 31, tzinfo=UTC), datetime(2024, 3, 31, 3, tzinfo=UTC), 0.02),
    (datetime(2024, 10, 27, tzinfo=UTC), datetime(2024, 10, 27, 3, tzinfo=UTC), 0.02),
)
_STEPS = 4096
_DAY_MS = 86_400_000

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_TRIPLES = [a + b + c for a in _ALPHABET for b in _ALPHABET for c in _ALPHABET]
_MASK = len(_TRIPLES) - 1
# Odd: multiplication by it modulo a power of two is a permutation.
_SHUFFLE = 0x1D8A_0C5B_3E17

Moment = Callable[[int], int]
Name = Callable[[int], str]


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _steps() -> list[float]:
    """Return the times after which each further 1/4096 of the records is created."""
    edges = sorted({_FIRST, _LAST, *(edge for start, end, _ in _PEAKS for edge in (start, end))})
    base_rate = (1 - sum(share for *_, share in _PEAKS)) / (_LAST - _FIRST).total_seconds()
    reached = [0.0]
    for left, right in pairwise(edges):
        peak_rate = sum(
            share / (end - start).total_seconds()
            for start, end, share in _PEAKS
            if start <= left and right <= end
        )
        reached.append(reached[-1] + (base_rate + peak_rate) * (right - left).total_seconds())
    steps = []
    for step in range(_STEPS + 1):
        share = step / _STEPS * reached[-1]
        at = min(bisect_right(reached, share), len(edges) - 1)
        inside = (share - reached[at - 1]) / (reached[at] - reached[at - 1])
        start, end = _milliseconds(edges[at - 1]), _milliseconds(edges[at])
        steps.append(start + (end - start) * inside)
    return steps


_TIMES = _steps()


def moments(count: int) -> Moment:
    """Return the function from the number of one of `count` records to its creation time.

    It increases, and has more records in peaks.
    """
    times, scale = _TIMES, _STEPS / count

    def moment(number: int) -> int:
        position = number * scale
        step = int(position)
        start = times[step]
        return int(start + (times[step + 1] - start) * (position - step))

    return moment


def names(prefix: str, slug: str, moment: Moment) -> Name:
    """Return the function from the number of an organization's record to its id.

    An id consists of `<prefix>_`, the creation time, a hash of slug and prefix, and the number.
    """
    digest = int.from_bytes(hashlib.sha256(f"{slug} {prefix}".encode()).digest()[:10], "big")
    offset = digest >> 35
    middle = "".join(_ALPHABET[digest >> shift & 31] for shift in range(0, 35, 5))
    head, triples, mask = f"{prefix}_0", _TRIPLES, _MASK

    def name(number: int) -> str:
        time = moment(number)
        rest = number * _SHUFFLE + offset
        return (
            f"{head}{triples[time >> 30]}{triples[time >> 15 & mask]}{triples[time & mask]}{middle}"
            f"{triples[rest >> 30 & mask]}{triples[rest >> 15 & mask]}{triples[rest & mask]}"
        )

    return name


_DAYS = [
    (_FIRST + timedelta(days=day)).strftime("%Y-%m-%d")
    for day in range((_LAST - _FIRST).days + 1500)
]
_DAY_ZERO = _milliseconds(_FIRST) // _DAY_MS
_SECONDS = [f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}" for s in range(86400)]


def stamp(time: int) -> str:
    """Format a time as ISO 8601; up to four years after the last creation time."""
    day, rest = divmod(time, _DAY_MS)
    return f"{_DAYS[day - _DAY_ZERO]}T{_SECONDS[rest // 1000]}.{rest % 1000:03}Z"
