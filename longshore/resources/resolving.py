"""Resolve local times of a time zone to instants, with PostgreSQL's time zone rules.

Filters and the datetimes of files use the same time zone database: a filter for a day selects
exactly the rows that a file shows with that day.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from longshore.resources.comparisons import EQUALITY_TESTS
from longshore.resources.conditions import AnyOf, Condition
from longshore.resources.intervals import MINUTE, Local, between, format_moment
from longshore.resources.reading import reading
from longshore.resources.timezones import UTC, Zone

_MILLISECONDS = 5_000
# If a clock change repeats a local time, PostgreSQL returns the later instant; the earlier one has
# the offset of the day before. If a clock change skips a local time, PostgreSQL ignores the change,
# and the result is later than local times that follow. A binary search finds the first second that
# shows a later local time instead: the second of the change.
_RESOLVE_LOCAL_TIMES = """
SELECT (extract(epoch FROM CASE WHEN candidate::timestamp = clock
                           THEN least(candidate, late) ELSE late END) * 1000000)::bigint,
       (extract(epoch FROM late) * 1000000)::bigint,
       (late - interval '1 microsecond')::timestamp < clock
FROM unnest(%s::timestamp[]) WITH ORDINALITY AS local_times (clock, row_number)
CROSS JOIN LATERAL (SELECT clock::timestamptz AS read) AS reading
CROSS JOIN LATERAL (
    SELECT CASE WHEN read::timestamp = clock THEN read ELSE (
        WITH RECURSIVE search (before, after) AS (
            SELECT floor(seconds - extract(epoch FROM read::timestamp - clock))::bigint,
                   ceil(seconds)::bigint
            FROM extract(epoch FROM read) AS seconds
            UNION ALL
            SELECT CASE WHEN to_timestamp(middle)::timestamp < clock THEN middle ELSE before END,
                   CASE WHEN to_timestamp(middle)::timestamp < clock THEN after ELSE middle END
            FROM search CROSS JOIN LATERAL (SELECT (before + after) / 2 AS middle) AS half
            WHERE after - before > 1
        )
        SELECT to_timestamp(min(after)) FROM search
    ) END AS late
) AS later
CROSS JOIN LATERAL (SELECT late - interval '24 hours' AS earlier) AS before
CROSS JOIN LATERAL (
    SELECT clock AT TIME ZONE 'UTC' - (earlier::timestamp AT TIME ZONE 'UTC' - earlier) AS candidate
) AS candidates
ORDER BY row_number"""


@dataclass(frozen=True)
class _LocalTime:
    """The first and the last instant with a local time, in microseconds since 1970.

    For a skipped local time, both are the instant of the clock change.
    reached: whether clocks show an earlier time directly before `last`.
    """

    first: int
    last: int
    reached: bool


def resolved(conditions: Sequence[Condition | AnyOf], zone: Zone) -> list[Condition | AnyOf]:
    """Return the conditions with instants instead of local times of a zone. Runs at most one query.

    Raises InvalidInput for a zone that PostgreSQL does not know.
    """
    tests = [test for each in conditions for test in _tests(each)]
    local_times = {bound: None for test in tests for text in test.values for bound in _bounds(text)}
    if not local_times:
        return list(conditions)
    clocks = _resolve(list(local_times), zone)

    def instants(condition: Condition) -> Condition:
        exact = condition.operator in EQUALITY_TESTS
        texts = (_instants(text, clocks, exact=exact) for text in condition.values)
        return replace(condition, values=tuple(value for several in texts for value in several))

    return [
        AnyOf(tuple(map(instants, each.any_of))) if isinstance(each, AnyOf) else instants(each)
        for each in conditions
    ]


def _tests(condition: Condition | AnyOf) -> tuple[Condition, ...]:
    return condition.any_of if isinstance(condition, AnyOf) else (condition,)


def _bounds(text: str) -> list[int]:
    return [int(bound) for bound in text.split("/")] if isinstance(text, Local) else []


def _instants(text: str, clocks: Mapping[int, _LocalTime], *, exact: bool) -> Iterator[str]:
    """Yield the intervals of instants of a value.

    exact: if true, a minute or less that a clock change repeats yields two intervals. Otherwise it
        yields one interval from the first start to the last end, so that a comparison does not
        skip the instants between.
    """
    if not isinstance(text, Local):
        yield text
        return
    start, end = (clocks[bound] for bound in _bounds(text))
    length = end.last - start.last
    if exact and length <= MINUTE and start.first < start.last:
        yield between(start.first, start.first + length)
        yield between(start.last, end.last)
    else:
        yield between(start.first, end.last if end.reached else end.first)


def _resolve(times: Sequence[int], zone: Zone) -> dict[int, _LocalTime]:
    if zone.name == UTC.name:
        return {time: _LocalTime(time, time, reached=True) for time in times}
    with reading(zone.name, _MILLISECONDS, zone.field) as cursor:
        cursor.execute(_RESOLVE_LOCAL_TIMES, [[format_moment(time) for time in times]])
        rows = cursor.fetchall()
    return {time: _LocalTime(*clock) for time, clock in zip(times, rows, strict=True)}
