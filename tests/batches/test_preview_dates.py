"""The order of day and month is decided on a whole column, or not at all."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

import psycopg
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from batches.request.date_order import DateOrder, decide
from batches.request.date_shapes import parse_shape
from batches.staging import Staging

STAGING = Staging("dates")


@pytest.fixture
def cursor(db: None) -> Iterator[psycopg.Cursor]:
    connection.ensure_connection()
    with connection.connection.cursor() as cursor:
        yield cursor


def order_of(cursor: psycopg.Cursor, values: Sequence[str | None]) -> DateOrder | None:
    table = STAGING.input
    cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table))
    cursor.execute(sql.SQL("CREATE TABLE {} (row bigint, c0 text)").format(table))
    with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(table)) as copy:
        for row, value in enumerate(values, 1):
            copy.write_row((row, value))
    return decide(cursor, STAGING, 0, "placed_at")


@pytest.mark.parametrize(
    ("values", "pattern"),
    [
        (["01/02/2024", "31/01/2024"], "dd/MM/yyyy"),
        (["01/02/2024", "01/31/2024"], "MM/dd/yyyy"),
        (["1.2.2024", "13.2.2024"], "d.M.yyyy"),
        (["01.02.24", "31.01.24"], None),
        (["31.12.99", "01.02.24"], "dd.MM.yy"),
        (["2024/01/31", "2024/02/01"], "yyyy/MM/dd"),
        (["01-02-2024 14:30", "31-01-2024 09:00"], "dd-MM-yyyy HH:mm"),
        (["1/31/2024 2:30 PM", "1/2/2024 12:00 AM"], "M/d/yyyy h:mm a"),
        (["31/01/2024T09:00:00+01:00"], "dd/MM/yyyy'T'HH:mm:ssXXX"),
        (["31/01/2024 09:00:00.123"], "dd/MM/yyyy HH:mm:ss.SSS"),
        (["31 Jan 2024", "1 Feb 2024"], "d MMM yyyy"),
        (["January 31, 2024"], "MMMM dd, yyyy"),
        # Both orders mean the same here, but perhaps not in the rest of the file.
        (["01/01/2024", "02/02/2024"], None),
        # A text that is not a date is an error of its row.
        (["31/01/2024", "soon", None, "", "99/99/2024"], "dd/MM/yyyy"),
        (["2024-01-31", "2024-02-01T10:00:00Z"], None),
        # A day decides by its month: there is no 30 February.
        (["30/02/2024", "31/01/2024"], "dd/MM/yyyy"),
    ],
)
def test_a_pattern_is_proposed_if_one_order_fits_all_values(
    cursor: psycopg.Cursor, values: list[str | None], pattern: str | None
) -> None:
    found = order_of(cursor, values)
    assert found is not None
    assert found.pattern == pattern


def test_an_open_order_names_the_rows_and_values_that_leave_it_open(
    cursor: psycopg.Cursor,
) -> None:
    found = order_of(cursor, ["03/03/2024", "01/02/2024", "05/06/2024"])
    assert found is not None
    assert found.pattern is None
    assert not found.is_mixed
    assert found.candidates == ("dd/MM/yyyy", "MM/dd/yyyy")
    assert [(each.row, each.value) for each in found.examples] == [
        (2, "01/02/2024"),
        (3, "05/06/2024"),
    ]
    assert found.message == (
        "placed_at has dates that can be read as dd/MM/yyyy or as MM/dd/yyyy, such as "
        "'01/02/2024' (row 2). Set datetime_format."
    )


def test_two_digits_of_a_year_may_also_come_first(cursor: psycopg.Cursor) -> None:
    found = order_of(cursor, ["01/02/03"])
    assert found is not None
    assert found.candidates == ("dd/MM/yy", "MM/dd/yy", "yy/MM/dd")


def test_mixed_orders_name_two_rows_that_contradict_each_other(cursor: psycopg.Cursor) -> None:
    found = order_of(cursor, ["01/02/2024", "31/01/2024", "02/03/2024", "01/31/2024"])
    assert found is not None
    assert (found.pattern, found.is_mixed) == (None, True)
    assert {each.row for each in found.examples} == {2, 4}
    assert "'31/01/2024' (row 2) fits only dd/MM/yyyy" in found.message
    assert "'01/31/2024' (row 4) fits only MM/dd/yyyy" in found.message


def test_different_forms_have_no_common_pattern(cursor: psycopg.Cursor) -> None:
    found = order_of(cursor, ["31/01/2024", "31.01.2024 10:00"])
    assert found is not None
    assert found.is_mixed
    assert "'31/01/2024' (row 1)" in found.message
    assert "'31.01.2024 10:00' (row 2)" in found.message


def test_a_column_without_dates_has_no_order(cursor: psycopg.Cursor) -> None:
    assert order_of(cursor, ["soon", None, "12", "1.5", "x" * 1_000]) is None
    assert order_of(cursor, []) is None


def test_impossible_dates_decide_nothing(cursor: psycopg.Cursor) -> None:
    found = order_of(cursor, ["99/99/2024", "00/00/0000"])
    assert found is not None
    assert (found.pattern, found.message) == (None, "")


@given(st.lists(st.text("0123456789/.- :TZAPMJan+", max_size=25) | st.none(), max_size=10))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_column_has_an_order_or_none(cursor: psycopg.Cursor, values: list[str | None]) -> None:
    found = order_of(cursor, values)
    assert found is None or found.pattern is None or not found.message


@given(
    st.lists(
        st.from_regex(r"\A[0-9]{1,4}[/. -][0-9]{1,2}[/. -][0-9]{1,4}( [0-9]{2}:[0-9]{2})?\Z"),
        max_size=5,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_numbers_have_an_order_or_none(cursor: psycopg.Cursor, values: list[str]) -> None:
    found = order_of(cursor, values)
    assert found is None or found.pattern is None or not found.message


def test_offsets_are_counted(cursor: psycopg.Cursor) -> None:
    found = order_of(cursor, ["2024-01-31T10:00:00Z", "2024-01-31T10:00:00+02:00", "2024-02-01"])
    assert found is not None
    assert (found.with_offset, found.without_offset) == (2, 0)
    found = order_of(cursor, ["2024-01-31 10:00", "2024-01-31T10:00:00"])
    assert found is not None
    assert (found.with_offset, found.without_offset) == (0, 2)


@pytest.mark.slow
def test_a_long_column_is_decided_by_one_value(cursor: psycopg.Cursor) -> None:
    found = order_of(cursor, ["01/02/2024"] * 20_000 + ["31/01/2024"])
    assert found is not None
    assert found.pattern == "dd/MM/yyyy"


_STRFTIME = {
    "dd/MM/yyyy": "%d/%m/%Y",
    "MM/dd/yyyy": "%m/%d/%Y",
    "dd.MM.yy": "%d.%m.%y",
    "MM.dd.yy": "%m.%d.%y",
    "yy.MM.dd": "%y.%m.%d",
}


@given(
    st.lists(st.dates(date(2000, 1, 1), date(2060, 12, 31)), min_size=1, max_size=8),
    st.sampled_from(list(_STRFTIME)),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_decided_pattern_means_the_dates_that_were_written(
    cursor: psycopg.Cursor, days: list[date], written: str
) -> None:
    found = order_of(cursor, [day.strftime(_STRFTIME[written]) for day in days])
    assert found is not None
    assert not found.is_mixed
    if found.pattern is None:
        assert written in found.candidates
        assert len(found.candidates) > 1
    else:
        read = [
            datetime.strptime(day.strftime(_STRFTIME[written]), _STRFTIME[found.pattern]).date()
            for day in days
        ]
        assert read == days


@pytest.mark.parametrize("text", ["", "9", "999/99/9999", "9/9/9", "99:99", "MMM", "99/99-9999"])
def test_other_texts_are_no_shapes_of_dates(text: str) -> None:
    assert parse_shape(text) is None
