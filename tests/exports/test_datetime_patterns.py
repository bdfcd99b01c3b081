"""Datetime patterns, against Babel over thousands of instants, zones and patterns.

Babel differs by choice or by mistake in a few places, which are tested on their own below:
it rounds fractions of a second where LDML truncates, writes a zero offset of `Z` as +0000,
and floors negative offsets (-03:30 comes out as -04:30).
"""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from babel.dates import format_datetime
from django.db import connection
from psycopg import sql

from longshore.files.datetime_patterns import (
    _EXPRESSIONS,
    _TEMPLATES,
    UnknownPattern,
    check_pattern,
    pattern_sql,
)

pytestmark = pytest.mark.django_db

ZONES = (
    "UTC",
    "America/New_York",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Europe/London",
    "Pacific/Apia",
    "Pacific/Chatham",
)
OFFSETS = ("X", "XX", "XXX", "XXXX", "XXXXX", "x", "xx", "xxx", "xxxx", "xxxxx", "ZZZZ", "ZZZZZ")
ISO_WEEKS = ("Y", "YY", "YYYY", "w", "ww")
FRACTIONS = ("S", "SS", "SSS", "SSSS", "SSSSS", "SSSSSS")
NAMES = ("z", "zz", "zzz")
PLAIN = tuple(
    field
    for field in (*_TEMPLATES, *_EXPRESSIONS)
    if field not in (*OFFSETS, *ISO_WEEKS, *FRACTIONS, *NAMES, "VV")
)


def written(patterns: Sequence[str], instants: Sequence[datetime | None], zone: str) -> list[str]:
    """Each instant in every pattern, joined, as PostgreSQL writes it in a zone."""
    cells = sql.SQL(", ").join(pattern_sql(each, sql.Identifier("at"), zone) for each in patterns)
    query = sql.SQL("SELECT {} FROM unnest({}::timestamptz[]) WITH ORDINALITY AS t (at, n)")
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [zone])
        cursor.execute(query.format(cells, sql.Literal(list(instants))).as_string(None))
        return ["␟".join(map(str, row)) for row in cursor.fetchall()]


def by_babel(
    patterns: Sequence[str], instants: Sequence[datetime], zone: str, locale: str = "en_US"
) -> list[str]:
    place = ZoneInfo(zone)
    return [
        "␟".join(format_datetime(at.astimezone(place), each, locale=locale) for each in patterns)
        for at in instants
    ]


def some_instants(zone: str, number: int, *, since: int = 1900) -> list[datetime]:
    """Random instants up to 2100, and those around the zone's changes of its offset."""
    chance = random.Random(zone)  # noqa: S311
    start, end = datetime(since, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    seconds = int((end - start).total_seconds())
    # Half of the second is the only fraction that Babel and LDML agree on in any length.
    instants = [start + timedelta(seconds=chance.randrange(seconds)) for _ in range(number)]
    for change in _changes(ZoneInfo(zone)):
        instants += [change + timedelta(seconds=s) for s in (-3601, -1, 0, 1, 1800, 3599, 3600)]
    return instants


def _changes(zone: ZoneInfo) -> list[datetime]:
    changes = []
    for year in (1985, 2007, 2024, 2050):
        start = datetime(year, 1, 1, tzinfo=UTC)
        hours = [start + timedelta(hours=hour) for hour in range(366 * 24)]
        offsets = [hour.astimezone(zone).utcoffset() for hour in hours]
        changes += [hours[n] for n in range(1, len(hours)) if offsets[n] != offsets[n - 1]]
    return changes


def _joined(fields: Sequence[str], separator: str) -> list[str]:
    """Patterns of ten fields each."""
    return [separator.join(fields[n : n + 10]) for n in range(0, len(fields), 10)]


@pytest.mark.parametrize("zone", ZONES)
def test_every_field_agrees_with_babel(zone: str) -> None:
    instants = some_instants(zone, 600)
    patterns = _joined(PLAIN, " · ")
    assert written(patterns, instants, zone) == by_babel(patterns, instants, zone)


@pytest.mark.parametrize("zone", ZONES)
def test_fields_that_touch_are_still_fields_of_their_own(zone: str) -> None:
    chance = random.Random(f"touching {zone}")  # noqa: S311
    patterns = []
    for _ in range(60):
        fields = chance.choices(PLAIN, k=8)
        letters = [
            f for f, before in zip(fields, ["", *fields], strict=False) if f[0] not in before
        ]
        patterns.append("".join(letters))
    instants = some_instants(zone, 20)[:40]
    assert written(patterns, instants, zone) == by_babel(patterns, instants, zone)


@pytest.mark.parametrize("zone", ZONES)
def test_offsets_agree_with_babel_and_with_python(zone: str) -> None:
    # Before standard time, places had offsets to the second, for which `x` has no room.
    instants = some_instants(zone, 300, since=1950)
    in_python = [at.astimezone(ZoneInfo(zone)).strftime("%z") for at in instants]
    assert written(["xx"], instants, zone) == in_python
    if zone != "America/St_Johns":
        assert written(OFFSETS, instants, zone) == by_babel(OFFSETS, instants, zone)


def test_a_negative_offset_with_minutes_keeps_its_hour() -> None:
    at = datetime(2024, 12, 25, tzinfo=UTC)
    expected = "-0330␟-0330␟-03:30␟-0330␟-03:30␟" * 2 + "GMT-03:30␟-03:30"
    assert written(OFFSETS, [at], "America/St_Johns") == [expected]


@pytest.mark.parametrize("zone", ZONES)
def test_iso_offset_is_written_z_where_it_is_zero(zone: str) -> None:
    instants = [at for at in some_instants(zone, 100) if at.year > 1980]
    expected = [
        "Z" if text == "+0000" else text
        for text in (at.astimezone(ZoneInfo(zone)).strftime("%z") for at in instants)
    ]
    for field in ("Z", "ZZ", "ZZZ"):
        assert written([field], instants, zone) == expected


@pytest.mark.parametrize("zone", ZONES)
def test_weeks_are_those_of_iso_8601(zone: str) -> None:
    instants = some_instants(zone, 150)
    instants += [
        datetime(year, month, day, 12, tzinfo=UTC)
        for year in range(1995, 2030)
        for month, day in [(1, 1), (1, 4), (12, 28), (12, 31)]
    ]
    expected = []
    for at in instants:
        year, week, _ = at.astimezone(ZoneInfo(zone)).isocalendar()
        expected.append(f"{year} {year % 100:02} {year} {week} {week:02}")
    assert written([" ".join(ISO_WEEKS)], instants, zone) == expected
    weeks = ["w", "ww"]
    assert written(weeks, instants, zone) == by_babel(weeks, instants, zone, locale="en_GB")


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "America/Chicago", "Pacific/Honolulu"])
def test_zone_abbreviations_agree_with_babel(zone: str) -> None:
    instants = some_instants(zone, 100, since=1970)
    assert written(NAMES, instants, zone) == by_babel(NAMES, instants, zone)


def test_fractions_are_truncated() -> None:
    chance = random.Random(0)  # noqa: S311
    parts = [0, 1, 5, 999_999, 999_500, 123_456, *(chance.randrange(10**6) for _ in range(200))]
    instants = [datetime(2024, 12, 25, 23, 59, 59, part, tzinfo=UTC) for part in parts]
    expected = ["␟".join(f"{part:06}"[: len(field)] for field in FRACTIONS) for part in parts]
    assert written(FRACTIONS, instants, "UTC") == expected


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("MM/dd/yyyy hh:mm:ss a", "12/25/2024 02:30:45 PM"),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSZ", "2024-12-25T14:30:45.123Z"),
        ("dd/MM/yyyy HH:mm", "25/12/2024 14:30"),
        ("EEEE, d MMMM y", "Wednesday, 25 December 2024"),
        ("ddEEE", "25Wed"),
        ("ddDDD", "25360"),
        ("zHH", "UTC14"),
        ("zMM", "UTC12"),
        ("yyy", "2024"),
        ("h 'o''clock' a", "2 o'clock PM"),
        ("''yy''", "'24'"),
        ("''''", "''"),
        ("'''yy'", "'yy"),
        ("'yyyy'yyyy", "yyyy2024"),
        (r"yyyy\%%{0}\'%s{1}'", r"2024\%%{0}\%s{1}"),
        (r"'C:\dd'dd", r"C:\dd25"),
        (r"""'"HH24"'HH""", '"HH24"14'),
        (r"""'\"'"\"d""", r"""\""\"25"""),
        ("yyyy年M月d日", "2024年12月25日"),
        ("'📦 at'👋HH", "📦 at👋14"),
        ("';--/* $1 %(x)s'H", ";--/* $1 %(x)s14"),
        ("VV", "UTC"),
    ],
)
def test_quotes_and_marks_stand_as_they_are(pattern: str, text: str) -> None:
    at = datetime(2024, 12, 25, 14, 30, 45, 123_000, tzinfo=UTC)
    assert written([pattern], [at], "UTC") == [text]


@pytest.mark.parametrize("pattern", [*_TEMPLATES, *_EXPRESSIONS, "'text'", "yyyy VV 'text'"])
def test_a_null_stays_null_in_every_field(pattern: str) -> None:
    assert written([pattern], [None], "Asia/Kolkata") == ["None"]


def test_years_before_1000_keep_their_digits() -> None:
    instants = [datetime(year, 6, 1, tzinfo=UTC) for year in (7, 42, 999, 1000)]
    expected = [f"{at.year} {at.year:03} {at.year:04}" for at in instants]
    assert written(["y yyy yyyy"], instants, "UTC") == expected


@pytest.mark.parametrize(
    ("pattern", "part"),
    [
        ("yyyy-bb", "bb"),
        ("yyyyy", "yyyyy"),
        ("DD", "DD"),
        ("zzzz", "zzzz"),
        ("HH 'unclosed", "'unclosed"),
        ("'", "'"),
        ("", ""),
        ("  \t", "  \t"),
        ("HH\0", "HH\0"),
        ("'\ud800'HH", "'\ud800'HH"),
        ("d" * 3, "ddd"),
        ("''" * 101, "''" * 101),
    ],
)
def test_an_unknown_field_is_named(pattern: str, part: str) -> None:
    with pytest.raises(UnknownPattern) as raised:
        check_pattern(pattern)
    assert raised.value.part == part
    with pytest.raises(UnknownPattern):
        pattern_sql(pattern, sql.Identifier("at"), "UTC")
