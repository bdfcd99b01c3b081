"""Days and times of a zone: a filter selects what is shown with the day, in every zone."""

import pytest
from django.db import connection
from psycopg import sql

from resources.columns import Kind
from resources.comparisons import Operator, comparison_sql
from resources.conditions import Condition
from resources.intervals import interval
from resources.reading import reading
from resources.resolving import resolved
from resources.timezones import Zone

pytestmark = pytest.mark.django_db

# The days on which the clocks of the session's zone change, and those beside them.
_CHANGES = """
WITH noons AS (
    SELECT noon, noon - (noon::timestamptz AT TIME ZONE 'UTC') AS ahead
    FROM generate_series(%s::timestamp, %s::timestamp, '1 day') AS noon
), changes AS (
    SELECT noon, ahead <> lag(ahead) OVER (ORDER BY noon) AS changed FROM noons
)
SELECT DISTINCT (noon + shift * interval '1 day')::date::text
FROM changes, generate_series(-1, 1) AS shift WHERE changed ORDER BY 1"""
# How many instants around a day are in a condition and not shown with the day, or the reverse.
_WRONG = (
    "SELECT {day}, count(*) FROM generate_series({day}::timestamptz - interval '26 hours',"
    " {day}::timestamptz + interval '50 hours', '30 minutes') AS at,"
    " LATERAL (VALUES (at), (at - interval '1 microsecond')) AS moments (moment)"
    " WHERE ({found}) IS DISTINCT FROM (to_char(moment, 'YYYY-MM-DD') {sign} {day})"
)
_SIGNS = {
    Operator.EQUALS: "=",
    Operator.GTE: ">=",
    Operator.LTE: "<=",
}


def zones() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_timezone_names ORDER BY name")
        names = [name for (name,) in cursor.fetchall()]
    return [name for name in names if not name.startswith(("posix/", "right/", "posixrules"))]


def wrong_days(zone: str, year: int) -> list[str]:
    """The days around changes of the clocks whose rows are not those shown with the day."""
    with reading(zone, 60_000, "timezone") as cursor:
        cursor.execute(_CHANGES, [f"{year}-01-01 12:00", f"{year}-12-31 12:00"])
        days = [day for (day,) in cursor.fetchall()]
    tests = [
        (day, operator, Condition("x", operator, (interval(day),)))
        for day in days
        for operator in _SIGNS
    ]
    found = resolved([condition for _, _, condition in tests], Zone(zone))
    queries = [
        sql.SQL(_WRONG).format(
            day=sql.Literal(day),
            sign=sql.SQL(_SIGNS[operator]),
            found=comparison_sql(sql.SQL("moment"), Kind.DATETIME, operator, condition.values),
        )
        for (day, operator, _), condition in zip(tests, found, strict=True)
        if isinstance(condition, Condition)
    ]
    if not queries:
        return []
    with reading(zone, 60_000, "timezone") as cursor:
        cursor.execute(sql.SQL(" UNION ALL ").join(queries).as_string(None))
        return sorted({day for day, count in cursor.fetchall() if count})


def test_the_rows_of_a_day_are_those_shown_with_it_in_every_zone_of_the_server() -> None:
    wrong = {zone: wrong_days(zone, 2026) for zone in zones()}
    assert len(wrong) > 400
    assert {zone: days for zone, days in wrong.items() if days} == {}


@pytest.mark.parametrize(
    ("zone", "year"),
    [
        ("Pacific/Apia", 2011),  # Left a day out.
        ("America/Sao_Paulo", 2018),  # Midnight is skipped, or comes twice.
        ("America/Havana", 2012),
        ("Asia/Pyongyang", 2015),
        ("Australia/Lord_Howe", 2024),
        ("Africa/El_Aaiun", 2030),
        ("Asia/Amman", 2017),
        ("CET", 1995),  # An abbreviation, too, of an offset that does not change.
    ],
)
def test_days_of_unusual_changes(zone: str, year: int) -> None:
    assert wrong_days(zone, year) == []
