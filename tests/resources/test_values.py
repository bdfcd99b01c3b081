"""Values: what a request writes, as the one text that a condition keeps."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.parsers import storable
from resources.columns import Kind
from resources.values import ACCEPTED, canonical, json_or_text

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("2024-12-25T14:30:00Z", "2024-12-25T14:30:00+00:00"),
        ("2024-12-25T14:30:00", "2024-12-25T19:30:00+00:00"),
        ("2024-12-25 14:30", "2024-12-25T19:30:00+00:00"),
        ("2024-12-25T14:30:00.123456+05:30", "2024-12-25T09:00:00.123456+00:00"),
        ("1735137000", "2024-12-25T14:30:00+00:00"),
        (1735137000, "2024-12-25T14:30:00+00:00"),
        (1735137000123, "2024-12-25T14:30:00.123000+00:00"),
        ("-86400", "1969-12-31T00:00:00+00:00"),
        (0, "1970-01-01T00:00:00+00:00"),
        (99_999_999_999, "5138-11-16T09:46:39+00:00"),
        (100_000_000_000, "1973-03-03T09:46:40+00:00"),
        ("2024-12-25", "2024-12-25T05:00:00+00:00/2024-12-26T05:00:00+00:00"),
        ("9999-12-31", "9999-12-31T05:00:00+00:00/10000-01-01T00:00:00+00:00"),
        # The clocks change: such a day has 23 or 25 hours, and an hour is missing or twice.
        ("2024-03-10", "2024-03-10T05:00:00+00:00/2024-03-11T04:00:00+00:00"),
        ("2024-11-03", "2024-11-03T04:00:00+00:00/2024-11-04T05:00:00+00:00"),
        ("2024-03-10T02:30:00", "2024-03-10T07:30:00+00:00"),
        ("2024-11-03T01:30:00", "2024-11-03T05:30:00+00:00"),
    ],
)
def test_moments_are_instants_and_dates_are_days_of_the_zone(raw: object, text: str) -> None:
    assert canonical(Kind.DATETIME, raw, NEW_YORK) == text


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/Sao_Paulo", "2018-11-04", 23),
        ("America/Sao_Paulo", "2018-02-17", 25),
        ("America/Havana", "2024-11-03", 25),
        ("Australia/Lord_Howe", "2024-04-07", 24.5),
        ("Pacific/Apia", "2011-12-30", 0),
        ("Asia/Kolkata", "2024-03-10", 24),
    ],
)
def test_a_day_is_as_long_as_its_zone_makes_it(zone: str, day: str, hours: float) -> None:
    start, end = canonical(Kind.DATETIME, day, ZoneInfo(zone)).split("/")
    length = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    assert length == timedelta(hours=hours)
    before = datetime.fromisoformat(start) - timedelta(microseconds=1)
    assert before.astimezone(ZoneInfo(zone)).date().isoformat() < day


@pytest.mark.parametrize(
    ("kind", "raw", "text"),
    [
        (Kind.INTEGER, "7", "7"),
        (Kind.INTEGER, -7, "-7"),
        (Kind.DECIMAL, "1.50", "1.50"),
        (Kind.DECIMAL, Decimal("0.1"), "0.1"),
        (Kind.FLOAT, 1e300, "1E+300"),
        (Kind.BOOLEAN, True, "true"),
        (Kind.BOOLEAN, "FALSE", "false"),
        (Kind.DATE, "2024-02-29", "2024-02-29"),
        (Kind.TEXT, 5, "5"),
        (Kind.LIST, "a", "a"),
        (Kind.JSON, {"ä": [None, 1.5, True]}, '{"\\u00e4": [null, 1.5, true]}'),
        (Kind.JSON, r"\u0000", r'"\\u0000"'),
    ],
)
def test_other_kinds_have_one_text_too(kind: Kind, raw: object, text: str) -> None:
    assert canonical(kind, raw, NEW_YORK) == text


NOTHING: dict[Kind, list[Any]] = {
    Kind.TEXT: [None, True, [], {}, "\0", "a\ud800"],
    Kind.LIST: [None, False, ["a"], "\0"],
    Kind.INTEGER: [None, True, "", "x", "0x10", "NaN", "1e308", "-Infinity", "1" * 201, [1]],
    Kind.DECIMAL: ["1e-308", float("inf"), float("nan"), {}],
    Kind.FLOAT: ["1e999999999999999999", "1e400", "1_000", "\uff11", " 5 ", "Infinity", "1e"],
    Kind.BOOLEAN: [None, 1, 0, "yes", "t", "", []],
    Kind.DATE: [
        "2024-02-30",
        "25.12.2024",
        "2024-12-25T00:00:00",
        "",
        "20241225",
        "2024-W52-3",
        20241225.5,
        True,
    ],
    Kind.DATETIME: [
        *(
            "",
            "x",
            "2024-12",
            "20241225",
            20241225,
            "2024-13-01",
            "2024-02-30",
            "2024-12-25T25:00",
            "2024-12-25T14",
            "now",
        ),
        *(
            "2024-12-25T14:30:00 EST",
            "0001-01-01T00:00:00+14:00",
            "\uff11" * 10,
            "1.5",
            1.5,
            True,
        ),
        *(10**17, 10**16, "9" * 17, None, [], "infinity", "-infinity", "2024-12-25T14:30+99:00"),
    ],
    Kind.JSON: [float("nan"), float("inf"), "\0", {"a": ["\ud800"]}, {"\0": 1}],
}


@pytest.mark.parametrize(("kind", "raw"), [(k, raw) for k, raws in NOTHING.items() for raw in raws])
def test_what_is_no_value_of_the_kind_is_refused(kind: Kind, raw: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        canonical(kind, raw, ZoneInfo("UTC"))


def test_every_kind_says_what_it_accepts() -> None:
    assert set(ACCEPTED) == set(Kind)


@given(
    st.datetimes(datetime(1902, 1, 1), datetime(2100, 1, 1)),
    st.sampled_from(["UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Chatham"]),
)
def test_an_instant_is_the_same_however_it_is_written(moment: datetime, zone: str) -> None:
    place = ZoneInfo(zone)
    moment = moment.replace(microsecond=0, tzinfo=UTC).astimezone(place)
    expected = moment.astimezone(UTC).isoformat()
    written = [moment.isoformat(), str(int(moment.timestamp())), moment.isoformat(" ")]
    if moment.timestamp() > 10**8:
        written.append(str(int(moment.timestamp()) * 1000))
    if not moment.fold:
        written.append(moment.replace(tzinfo=None).isoformat())
    assert {canonical(Kind.DATETIME, each, place) for each in written} == {expected}


@given(st.text())
def test_a_text_is_storable_where_it_has_bytes_and_no_nul(text: str) -> None:
    assert storable(text) is ("\0" not in text)
    assert not storable(text + "\ud800")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1]}', {"a": [1]}),
        ("null", None),
        ("x", "x"),
        ("Infinity", "Infinity"),
        ("[1, NaN]", "[1, NaN]"),
        ("1e999", "1e999"),
        ("[" * 5000, "[" * 5000),
    ],
)
def test_a_text_that_is_no_json_is_a_text(text: str, value: object) -> None:
    assert json_or_text(text) == value
