"""Resolve local times of a zone to instants, with PostgreSQL's time zone rules.

One database of time zones decides on filters and on what is shown: the rows that a filter selects
for a day are the rows that are shown with that day.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from longshore.resources.comparisons import TESTS_OF_EQUALITY
from longshore.resources.conditions import AnyOf, Condition
from longshore.resources.intervals import MINUTE, Local, between, written
from longshore.resources.reading import reading
from longshore.resources.timezones import UTC, Zone

_MILLISECONDS = 5_000
# PostgreSQL takes a time that a change of the clocks repeats for the later instant; the earlier one
# has the offset of the day before. It takes a time that a change skips as if there were no change,
# which would be later than times that follow: the first second that shows a later time is
# searched instead, which is that of the change.
_CLOCKS = """
SELECT (extract(epoch FROM CASE WHEN candidate::timestamp = clock
                           THEN least(candidate, late) ELSE late END) * 1000000)::bigint,
       (extract(epoch FROM late) * 1000000)::bigint,
       (late - interval '1 microsecond')::timestamp < clock
FROM unnest(%s::timestamp[]) WITH ORDINALITY AS asked (clock, place)
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
ORDER BY place"""


@dataclass(frozen=True)
class _Clock:
    """The first and the last instant at which the clocks show a time, in microseconds since 1970.

    Both are that of the change for a time that a change skips.
    reached: whether they show earlier times right before the last one.
    """

    first: int
    last: int
    reached: bool


def resolved(conditions: Sequence[Condition | AnyOf], zone: Zone) -> list[Condition | AnyOf]:
    """The conditions with instants in place of times on the clocks of a zone; one query at most.

    Raises InvalidInput for a zone that PostgreSQL does not know.
    """
    tests = [test for each in conditions for test in _tests(each)]
    asked = {bound: None for test in tests for text in test.values for bound in _bounds(text)}
    if not asked:
        return list(conditions)
    clocks = _clocks(list(asked), zone)

    def instants(condition: Condition) -> Condition:
        exact = condition.operator in TESTS_OF_EQUALITY
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


def _instants(text: str, clocks: Mapping[int, _Clock], *, exact: bool) -> Iterator[str]:
    """The intervals of instants that a value stands for.

    exact: a minute, or less, that the clocks show twice is two intervals; else it is one, from its
        first beginning to its last end, so that no comparison leaves out what lies between.
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


def _clocks(times: Sequence[int], zone: Zone) -> dict[int, _Clock]:
    if zone.name == UTC.name:
        return {time: _Clock(time, time, reached=True) for time in times}
    with reading(zone.name, _MILLISECONDS, zone.field) as cursor:
        cursor.execute(_CLOCKS, [[written(time) for time in times]])
        found = cursor.fetchall()
    return {time: _Clock(*clock) for time, clock in zip(times, found, strict=True)}
