"""Datetime patterns, against Babel over thousands of instants, zones and patterns.

Other tests cover the fields in which Babel differs: it rounds fractions of a second where LDML
truncates, writes a zero offset of `Z` as +0000, and floors negative offsets (-03:30 becomes
-04:30).
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
    FIELDS,
    InvalidPattern,
    check_pattern,
    pattern_sql,
    suggest_pattern,
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
ZERO_OFFSETS = ("Z", "ZZ", "ZZZ")
# The fields that agree with Babel everywhere.
PLAIN = tuple(
    field
    for field in FIELDS
    if field not in (*OFFSETS, *ISO_WEEKS, *FRACTIONS, *NAMES, *ZERO_OFFSETS, "VV")
)


def by_postgres(
    patterns: Sequence[str], instants: Sequence[datetime | None], zone: str
) -> list[str]:
    """Format each instant with every pattern in PostgreSQL, and join the texts."""
    cells = sql.SQL(", ").join(
        pattern_sql(pattern, sql.Identifier("at"), zone) for pattern in patterns
    )
    query = sql.SQL("SELECT {} FROM unnest({}::timestamptz[]) WITH ORDINALITY AS t (at, n)")
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [zone])
        cursor.execute(query.format(cells, sql.Literal(list(instants))).as_string(None))
        return ["␟".join(map(str, row)) for row in cursor.fetchall()]


def by_babel(
    patterns: Sequence[str], instants: Sequence[datetime], zone: str, locale: str = "en_US"
) -> list[str]:
    """Format each instant with every pattern in Babel, and join the texts."""
    tzinfo = ZoneInfo(zone)
    return [
        "␟".join(
            format_datetime(at.astimezone(tzinfo), pattern, locale=locale) for pattern in patterns
        )
        for at in instants
    ]


def sample_instants(zone: str, number: int, *, since: int = 1900) -> list[datetime]:
    """Return random instants up to 2100, and instants around the changes of the zone's offset."""
    source = random.Random(zone)  # noqa: S311
    start, end = datetime(since, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    seconds = int((end - start).total_seconds())
    instants = [start + timedelta(seconds=source.randrange(seconds)) for _ in range(number)]
    for change in _offset_changes(ZoneInfo(zone)):
        instants += [change + timedelta(seconds=s) for s in (-3601, -1, 0, 1, 1800, 3599, 3600)]
    return instants


def _offset_changes(zone: ZoneInfo) -> list[datetime]:
    changes = []
    for year in (1985, 2007, 2024, 2050):
        start = datetime(year, 1, 1, tzinfo=UTC)
        hours = [start + timedelta(hours=hour) for hour in range(366 * 24)]
        offsets = [hour.astimezone(zone).utcoffset() for hour in hours]
        changes += [hours[n] for n in range(1, len(hours)) if offsets[n] != offsets[n - 1]]
    return changes


def _patterns_of_ten(fields: Sequence[str]) -> list[str]:
    return [" · ".join(fields[n : n + 10]) for n in range(0, len(fields), 10)]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.slow
def test_every_field_agrees_with_babel(zone: str) -> None:
    instants = sample_instants(zone, 600)
    patterns = _patterns_of_ten(PLAIN)
    assert by_postgres(patterns, instants, zone) == by_babel(patterns, instants, zone)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.slow
def test_adjacent_fields_are_read_as_separate_fields(zone: str) -> None:
    source = random.Random(f"touching {zone}")  # noqa: S311
    patterns = []
    for _ in range(60):
        fields = source.choices(PLAIN, k=8)
        # Two fields of one letter would be one field.
        pairs = zip(fields, ["", *fields], strict=False)
        patterns.append("".join(field for field, before in pairs if field[0] not in before))
    instants = sample_instants(zone, 20)[:40]
    assert by_postgres(patterns, instants, zone) == by_babel(patterns, instants, zone)


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
def test_offsets_agree_with_babel_and_with_python(zone: str) -> None:
    # Before standard time, offsets had seconds, which `x` cannot show.
    instants = sample_instants(zone, 300, since=1950)
    in_python = [at.astimezone(ZoneInfo(zone)).strftime("%z") for at in instants]
    assert by_postgres(["xx"], instants, zone) == in_python
    if zone != "America/St_Johns":
        assert by_postgres(OFFSETS, instants, zone) == by_babel(OFFSETS, instants, zone)


def test_a_negative_offset_with_minutes_is_not_floored() -> None:
    at = datetime(2024, 12, 25, tzinfo=UTC)
    expected = "-0330␟-0330␟-03:30␟-0330␟-03:30␟" * 2 + "GMT-03:30␟-03:30"
    assert by_postgres(OFFSETS, [at], "America/St_Johns") == [expected]


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
def test_a_zero_offset_is_z(zone: str) -> None:
    instants = [at for at in sample_instants(zone, 100) if at.year > 1980]
    expected = [
        "Z" if text == "+0000" else text
        for text in (at.astimezone(ZoneInfo(zone)).strftime("%z") for at in instants)
    ]
    for field in ZERO_OFFSETS:
        assert by_postgres([field], instants, zone) == expected


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
def test_weeks_and_their_years_follow_iso_8601(zone: str) -> None:
    instants = sample_instants(zone, 150)
    instants += [
        datetime(year, month, day, 12, tzinfo=UTC)
        for year in range(1995, 2030)
        for month, day in [(1, 1), (1, 4), (12, 28), (12, 31)]
    ]
    expected = []
    for at in instants:
        year, week, _ = at.astimezone(ZoneInfo(zone)).isocalendar()
        expected.append(f"{year} {year % 100:02} {year} {week} {week:02}")
    assert by_postgres([" ".join(ISO_WEEKS)], instants, zone) == expected
    weeks = ["w", "ww"]
    assert by_postgres(weeks, instants, zone) == by_babel(weeks, instants, zone, locale="en_GB")


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "America/Chicago", "Pacific/Honolulu"])
def test_zone_abbreviations_agree_with_babel(zone: str) -> None:
    instants = sample_instants(zone, 100, since=1970)
    assert by_postgres(NAMES, instants, zone) == by_babel(NAMES, instants, zone)


def test_fractions_are_truncated() -> None:
    source = random.Random(0)  # noqa: S311
    fractions = [0, 1, 5, 999_999, 999_500, 123_456]
    fractions += [source.randrange(10**6) for _ in range(200)]
    instants = [datetime(2024, 12, 25, 23, 59, 59, each, tzinfo=UTC) for each in fractions]
    expected = ["␟".join(f"{each:06}"[: len(field)] for field in FRACTIONS) for each in fractions]
    assert by_postgres(FRACTIONS, instants, "UTC") == expected


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
def test_literal_text_is_written_unchanged(pattern: str, text: str) -> None:
    at = datetime(2024, 12, 25, 14, 30, 45, 123_000, tzinfo=UTC)
    assert by_postgres([pattern], [at], "UTC") == [text]


@pytest.mark.parametrize("pattern", [*FIELDS, "'text'", "yyyy VV 'text'"])
def test_null_stays_null_with_every_field(pattern: str) -> None:
    assert by_postgres([pattern], [None], "Asia/Kolkata") == ["None"]


def test_years_before_1000_are_padded_to_the_width_of_the_field() -> None:
    instants = [datetime(year, 6, 1, tzinfo=UTC) for year in (7, 42, 999, 1000)]
    expected = [f"{at.year} {at.year:03} {at.year:04}" for at in instants]
    assert by_postgres(["y yyy yyyy"], instants, "UTC") == expected


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
def test_an_invalid_part_is_named(pattern: str, part: str) -> None:
    with pytest.raises(InvalidPattern) as raised:
        check_pattern(pattern)
    assert raised.value.part == part
    with pytest.raises(InvalidPattern):
        pattern_sql(pattern, sql.Identifier("at"), "UTC")


@pytest.mark.parametrize(
    ("pattern", "translated"),
    [
        ("%Y-%m-%d %H:%M:%S", "yyyy-MM-dd HH:mm:ss"),
        ("%-d/%-m/%y", "d/M/yy"),
        ("YYYY-MM-DD", "yyyy-MM-dd"),
        ("YYYY-MM-DD HH24:MI:SS", "yyyy-MM-dd HH:mm:ss"),
        ("yyyy-bb", None),
        ("%Q", None),
    ],
)
def test_patterns_of_other_tools_are_translated(pattern: str, translated: str | None) -> None:
    assert suggest_pattern(pattern) == translated
