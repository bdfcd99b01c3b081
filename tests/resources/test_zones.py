"""Time zones: a filter for a day selects the rows that are shown with that day."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from psycopg import sql

from longshore.accounts.models import Organization
from longshore.api.errors import InvalidInput
from longshore.resources.columns import ColumnType
from longshore.resources.comparisons import Operator, comparison_sql
from longshore.resources.conditions import Condition
from longshore.resources.intervals import chronological, interval
from longshore.resources.reading import reading
from longshore.resources.resolving import resolved
from longshore.resources.timezones import Zone
from tests.conftest import KeyClient
from tests.factories import ShipmentFactory
from tests.resources.conftest import Select

pytestmark = pytest.mark.django_db

# Days with a clock change in the session's zone, and their neighbors.
_CHANGES = """
WITH noons AS (
    SELECT noon, noon - (noon::timestamptz AT TIME ZONE 'UTC') AS ahead
    FROM generate_series(%s::timestamp, %s::timestamp, '1 day') AS noon
), changes AS (
    SELECT noon, ahead <> lag(ahead) OVER (ORDER BY noon) AS changed FROM noons
)
SELECT DISTINCT (noon + shift * interval '1 day')::date::text
FROM changes, generate_series(-1, 1) AS shift WHERE changed ORDER BY 1"""
# Number of instants around a day for which the condition and the shown day disagree.
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
    """Return days around clock changes for which filter and shown day disagree."""
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
            found=comparison_sql(
                sql.SQL("moment"), ColumnType.DATETIME, operator, condition.values
            ),
        )
        for (day, operator, _), condition in zip(tests, found, strict=True)
        if isinstance(condition, Condition)
    ]
    if not queries:
        return []
    with reading(zone, 60_000, "timezone") as cursor:
        cursor.execute(sql.SQL(" UNION ALL ").join(queries).as_string(None))
        return sorted({day for day, count in cursor.fetchall() if count})


@pytest.mark.slow
def test_filter_for_a_day_selects_rows_shown_with_the_day_in_every_zone() -> None:
    wrong = {zone: wrong_days(zone, 2026) for zone in zones()}
    assert len(wrong) > 400
    assert {zone: days for zone, days in wrong.items() if days} == {}


@pytest.mark.parametrize(
    ("zone", "year"),
    [
        ("Pacific/Apia", 2011),  # Skipped a day.
        ("America/Sao_Paulo", 2018),  # Skips or repeats midnight.
        ("America/Havana", 2012),
        ("Asia/Pyongyang", 2015),
        ("Australia/Lord_Howe", 2024),
        ("Africa/El_Aaiun", 2030),
        ("Asia/Amman", 2017),
        ("CET", 1995),  # Also an abbreviation with a fixed offset.
    ],
)
def test_filter_for_a_day_with_an_unusual_clock_change(zone: str, year: int) -> None:
    assert wrong_days(zone, year) == []


# New York repeats 1:30 on this day: at 5:30 and at 6:30 UTC.
TWICE = {
    "first": datetime(2025, 11, 2, 5, 30, 20, tzinfo=UTC),
    "between": datetime(2025, 11, 2, 6, 0, tzinfo=UTC),
    "second": datetime(2025, 11, 2, 6, 30, 20, tzinfo=UTC),
    "after": datetime(2025, 11, 2, 6, 31, tzinfo=UTC),
    "before": datetime(2025, 11, 2, 5, 29, tzinfo=UTC),
}


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("2025-11-02T01:30", "first, second"),
        ("2025-11-02T01:30-04:00", "first"),
        ("in:2025-11-02T01:30,2025-11-02T01:00", "first, between, second"),
        ("not_equals:2025-11-02T01:30", "before, between, after"),
        ("gte:2025-11-02T01:30", "first, between, second, after"),
        ("lte:2025-11-02T01:30", "before, first, between, second"),
        ("gt:2025-11-02T01:30", "after"),
        ("lt:2025-11-02T01:30", "before"),
        ("bwi:2025-11-02T01:30,2025-11-02T01:30", "first, between, second"),
        ("bwi:2025-11-02T01:30,2025-11-02T06:30:20Z", "first, between, second"),
    ],
)
def test_repeated_local_time_is_one_interval_from_first_to_last(
    raw: str, found: str, acme: Organization, select: Select
) -> None:
    for name, at in TWICE.items():
        ShipmentFactory(organization=acme, id=name, pickup_at=at)
    assert select("shipment", {"pickup_at": raw}, "America/New_York") == set(found.split(", "))


# New York skips 2:00 to 3:00 on this day, at 7:00 UTC.
SKIPPED = {
    "earlier": datetime(2025, 3, 9, 6, 59, 59, 999999, tzinfo=UTC),
    "at": datetime(2025, 3, 9, 7, 0, tzinfo=UTC),
    "later": datetime(2025, 3, 9, 7, 10, tzinfo=UTC),
    "much later": datetime(2025, 3, 9, 7, 59, 30, tzinfo=UTC),
}
SKIPPED_TIMES = ("02:00", "02:30", "02:30:15.123456", "02:59", "02:59:59")


@pytest.mark.slow
@pytest.mark.parametrize("time", SKIPPED_TIMES)
@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("{}", ""),
        ("not_equals:{}", "earlier, at, later, much later"),
        ("in:{},2025-03-09T03:10", "later"),
        ("in:{},2025-03-09T05:00", ""),
        ("not_in:{},2025-03-09T03:10", "earlier, at, much later"),
        ("gt:{}", "at, later, much later"),
        ("gte:{}", "at, later, much later"),
        ("lt:{}", "earlier"),
        ("lte:{}", "earlier"),
        ("bwi:{},2025-03-09T03:10", "at, later"),
        ("bwi:2025-03-09T01:59,{}", "earlier"),
        ("bwi:{0},{0}", ""),
        ("bwi:{},2025-03-09T02:59:59", ""),
        ("bwe:{},2025-03-09T03:10", "at"),
        ("bwe:2025-03-09T01:58,{}", "earlier"),
        ("bwe:{0},{0}", ""),
    ],
)
def test_skipped_local_time_is_an_empty_interval_at_the_change(
    time: str, raw: str, found: str, acme: Organization, select: Select
) -> None:
    for name, at in SKIPPED.items():
        ShipmentFactory(organization=acme, id=name, pickup_at=at)
    options = {"pickup_at": raw.format(f"2025-03-09T{time}")}
    expected = set(found.split(", ")) if found else set()
    assert select("shipment", options, "America/New_York") == expected


@pytest.mark.slow
@pytest.mark.parametrize("matcher", ["gt_any", "gteq_all", "in", "not_in", "lteq_any"])
@pytest.mark.parametrize("time", SKIPPED_TIMES)
def test_lists_accept_skipped_local_times(
    matcher: str, time: str, alice: KeyClient, acme: Organization
) -> None:
    ShipmentFactory(organization=acme, created_at=SKIPPED["later"])
    times = f"2025-03-09T{time},2025-03-09T05:00"
    query = {"timezone": "America/New_York", f"filters[created_at_{matcher}]": times}
    found = alice.get("/v1/shipments", query).json()["results"]
    assert len(found) == (matcher in ("gt_any", "not_in", "lteq_any"))


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("America/New_York", "2025-03-09T01:30"),
        ("America/Sao_Paulo", "2018-11-03T23:30"),
        ("Australia/Lord_Howe", "2024-10-06T01:30"),
        ("Pacific/Apia", "2011-12-29T12:00"),
        ("America/New_York", "2025-11-02T00:30"),
        ("Asia/Manila", "1844-12-30T12:00"),  # The first offsets of this zone have seconds.
    ],
)
def test_resolved_times_keep_their_order(zone: str, start: str) -> None:
    first = datetime.fromisoformat(start)
    times = [first + timedelta(minutes=7, seconds=1) * step for step in range(320)]
    values = tuple(interval(time.isoformat()) for time in times)
    [condition] = resolved([Condition("x", Operator.GT_ANY, values)], Zone(zone))
    assert isinstance(condition, Condition)
    bounds = [tuple(map(chronological, each.split("/"))) for each in condition.values]
    assert all(begin <= end for begin, end in bounds)
    for place in range(2):
        assert bounds == sorted(bounds, key=lambda each: each[place])


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/New_York", "2024-03-10", 23),
        ("America/New_York", "2024-11-03", 25),
        ("America/Sao_Paulo", "2018-11-04", 23),
        ("America/Sao_Paulo", "2018-02-17", 25),
        ("America/Havana", "2024-11-03", 25),
        ("Australia/Lord_Howe", "2024-04-07", 24.5),
        ("Pacific/Apia", "2011-12-30", 0),
        ("Asia/Kolkata", "2024-03-10", 24),
    ],
)
def test_length_of_a_day_depends_on_the_zone(zone: str, day: str, hours: float) -> None:
    given = Condition("x", Operator.GTE, (interval(day),))
    [condition] = resolved([given], Zone(zone))
    assert isinstance(condition, Condition)
    start, end = map(datetime.fromisoformat, condition.values[0].split("/"))
    assert end - start == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("zone", "raw", "found"),
    [
        ("America/New_York", "9999-12-31", "last"),
        ("Asia/Tokyo", "0001-01-01", "first"),
        ("Asia/Tokyo", "lte:0001-01-01", "first, bc, -infinity"),
        ("UTC", "infinity", "infinity"),
        ("UTC", "lt:infinity", "first, last, bc, -infinity"),
        ("UTC", "not_equals:-infinity", "first, last, bc, infinity"),
        ("UTC", "is_not_null", "first, last, bc, infinity, -infinity"),
    ],
)
def test_filters_at_the_ends_of_the_calendar(
    zone: str, raw: str, found: str, acme: Organization, select: Select
) -> None:
    moments = {
        "first": "0001-12-31 15:00:00+00 BC",
        "last": "10000-01-01 04:59:59.999999+00",
        "bc": "0044-03-15 00:00:00+00 BC",
        "infinity": "infinity",
        "-infinity": "-infinity",
    }
    for name, at in moments.items():
        ShipmentFactory(organization=acme, id=name)
        with connection.cursor() as cursor:
            update = "UPDATE longshore_logistics_shipment SET pickup_at = %s WHERE id = %s"
            cursor.execute(update, [at, name])
    assert select("shipment", {"pickup_at": raw}, zone) == set(found.split(", "))


def test_interval_uses_the_index(acme: Organization) -> None:
    [condition] = resolved(
        [Condition("created_at", Operator.EQUALS, (interval("2026-12-31"),))],
        Zone("Africa/Casablanca"),
    )
    assert isinstance(condition, Condition)
    test = comparison_sql(sql.SQL("created_at"), ColumnType.DATETIME, Operator.IN, condition.values)
    query = sql.SQL(
        "EXPLAIN SELECT FROM longshore_logistics_shipment WHERE organization_id = {} AND {}"
    )
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(query.format(sql.Literal(acme.pk), test).as_string(None))
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Cond" in plan
    assert "created_at >=" in plan


def test_all_local_times_of_a_request_take_one_query(
    acme: Organization, select: Select, django_assert_max_num_queries: Any
) -> None:
    days = [f"2026-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 29)]
    options = {"created_at": days, "pickup_at": "gte:2026-01-01", "updated_at": "lt:2026-01-01"}
    # One query resolves; the others set and reset the zone, and select.
    with django_assert_max_num_queries(6):
        assert select("shipment", options, "Africa/Casablanca") == set()


def test_zone_unknown_to_the_server_is_rejected() -> None:
    day = Condition("x", Operator.GTE, (interval("2026-12-31"),))
    with pytest.raises(InvalidInput) as caught:
        resolved([day], Zone("Moon/Tranquility", "csv_field_options.timezone"))
    [problem] = caught.value.problems
    assert (problem.code.value, problem.field) == (
        "invalid_timezone",
        "csv_field_options.timezone",
    )
