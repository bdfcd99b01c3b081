"""Intervals of time: dates, datetimes and epochs in filters."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.resources.intervals import (
    Local,
    between,
    chronological,
    format_moment,
    interval,
    is_after,
)


def local(text: str) -> str:
    """Format the local interval of a value."""
    found = interval(text)
    assert isinstance(found, Local)
    return "/".join(format_moment(int(bound)) for bound in found.split("/"))


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2024-12-25T14:30Z", "2024-12-25T14:30:00+00:00", "2024-12-25T14:31:00+00:00"),
        ("2024-12-25 14:30+01:00", "2024-12-25T13:30:00+00:00", "2024-12-25T13:31:00+00:00"),
        ("2024-12-25T14:30:00Z", "2024-12-25T14:30:00+00:00", "2024-12-25T14:30:01+00:00"),
        ("2025-03-31T23:59:59Z", "2025-03-31T23:59:59+00:00", "2025-04-01T00:00:00+00:00"),
        (
            "2024-12-25T14:30:00.1Z",
            "2024-12-25T14:30:00.100000+00:00",
            "2024-12-25T14:30:00.200000+00:00",
        ),
        (
            "2024-12-25T14:30:00.123+05:30",
            "2024-12-25T09:00:00.123000+00:00",
            "2024-12-25T09:00:00.124000+00:00",
        ),
        (
            "2024-12-25T14:30:00.123456Z",
            "2024-12-25T14:30:00.123456+00:00",
            "2024-12-25T14:30:00.123457+00:00",
        ),
        # .NET writes seven digits; the database stores six.
        (
            "2024-12-25T14:30:00.1234567Z",
            "2024-12-25T14:30:00.123456+00:00",
            "2024-12-25T14:30:00.123457+00:00",
        ),
        ("1735137000", "2024-12-25T14:30:00+00:00", "2024-12-25T14:30:01+00:00"),
        ("-86400", "1969-12-31T00:00:00+00:00", "1969-12-31T00:00:01+00:00"),
        ("0", "1970-01-01T00:00:00+00:00", "1970-01-01T00:00:01+00:00"),
        ("99999999999", "5138-11-16T09:46:39+00:00", "5138-11-16T09:46:40+00:00"),
        ("100000000000", "1973-03-03T09:46:40+00:00", "1973-03-03T09:46:40.001000+00:00"),
        (
            "1735137000123",
            "2024-12-25T14:30:00.123000+00:00",
            "2024-12-25T14:30:00.124000+00:00",
        ),
        (
            "0001-01-01T00:00:00+14:00",
            "0001-12-31T10:00:00+00:00 BC",
            "0001-12-31T10:00:01+00:00 BC",
        ),
        ("9999-12-31T23:59-05:00", "10000-01-01T04:59:00+00:00", "10000-01-01T05:00:00+00:00"),
    ],
)
def test_interval_is_as_long_as_the_smallest_given_unit(text: str, start: str, end: str) -> None:
    assert interval(text) == f"{start}/{end}"


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2024-12-25", "2024-12-25T00:00:00", "2024-12-26T00:00:00"),
        ("9999-12-31", "9999-12-31T00:00:00", "10000-01-01T00:00:00"),
        ("2024-12-25T14:30", "2024-12-25T14:30:00", "2024-12-25T14:31:00"),
        ("2024-12-25 14:30:59", "2024-12-25T14:30:59", "2024-12-25T14:31:00"),
    ],
)
def test_value_without_an_offset_is_a_local_interval(text: str, start: str, end: str) -> None:
    assert local(text) == f"{start}/{end}"


@pytest.mark.parametrize("text", ["infinity", "-infinity"])
def test_infinity_is_an_instant(text: str) -> None:
    assert interval(text) == text


@given(
    st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)),
    st.integers(-14 * 60, 14 * 60),
)
def test_interval_does_not_depend_on_the_offset(moment: datetime, minutes: int) -> None:
    moment = moment.replace(tzinfo=UTC)
    elsewhere = moment.astimezone(timezone(timedelta(minutes=minutes)))
    expected = f"{moment.isoformat()}/{(moment + timedelta(microseconds=1)).isoformat()}"
    assert interval(elsewhere.isoformat(timespec="microseconds")) == expected
    assert chronological(expected.split("/")[0]) < chronological(expected.split("/")[1])


def test_years_sort_chronologically_not_as_texts() -> None:
    bounds = ["-infinity", "0044-03-15", "0001-12-31", "0001-01-01", "9999-12-31", "10000-01-01"]
    bounds[1:3] = [f"{bound} BC" for bound in bounds[1:3]]
    assert sorted([*bounds, "infinity"], key=chronological) == [*bounds, "infinity"]


@pytest.mark.parametrize(
    ("first", "second", "after"),
    [
        ("2024-01-02", "2024-01-01", True),
        ("2024-01-01", "2024-01-01", False),
        (between(0, 10), between(0, 10), False),
        (between(5, 6), between(0, 10), False),
        (between(10, 11), between(0, 10), True),
        ("infinity", between(0, 10), True),
        (between(0, 10), "infinity", False),
        ("infinity", "infinity", False),
    ],
)
def test_interval_is_after_one_that_has_ended(first: str, second: str, after: bool) -> None:
    assert is_after(first, second) is after
