"""Conversions of dates and datetimes: ISO 8601, or an LDML pattern read backwards.

A datetime without an offset is a local time of the batch's time zone, with PostgreSQL's rules: a
local time that a clock change skips is moved forward by the change; a local time that occurs twice
is read as standard time (the later one). A year of two digits is between 1970 and 2069. Years
before 1 or after 9999 and infinity are refused: see `batches.validation.storable`.
"""

from collections.abc import Callable, Iterator

from django.db import connection
from psycopg import sql

from batches.errors import RowErrorCode
from batches.spec import InputOptions
from batches.validation import messages
from batches.validation.conversion import CellForm, Conversion, Problem, fails
from batches.validation.scalars import Cell
from batches.validation.storable import not_storable
from longshore.files.datetime_reading import has_time, has_zone, inverted, precision
from longshore.resources.field_sql import is_zoneless

_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = (
    r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]{1,6}0*)?)?"
    r" ?(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
# As the parser of spreadsheets writes dates and datetimes.
_NATIVE = rf"^{_DAY}(?:T[0-9:.]+)?$"
_ISO_DATE = rf"^\s*{_DAY}(?:[T ]00:00(?::00(?:[.]0+)?)?)?\s*$"
_ISO_DATETIME = rf"^\s*{_DAY}(?:[Tt ]{_TIME})?\s*$"
_HAS_OFFSET = r":[0-9.,:]+ ?(?:[Zz]|[+-][0-9:]+)\s*$"
_ANY_ORDER = r"^\s*[0-9]{1,2}[./-][0-9]{1,2}[./-](?:[0-9]{4}|[0-9]{2})(?:[T ,].*)?$"
_MICROSECONDS, _MILLISECONDS = 6, 3
# SQL of what a cell shows of a local time, by the precision of its pattern.
_UNITS = {-1: "minute", -2: "hour", -3: "day"}
_SHOWN = {number: f"date_trunc('{unit}', {{}})" for number, unit in _UNITS.items()}
# A pattern may have years of more digits, negative years, and the era.
_ORDINARY = """(SELECT CASE WHEN iso ~ '^[0-9]{{4}}-' AND iso !~ ' BC$' THEN iso END
 FROM (SELECT {} AS iso OFFSET '0') AS moment)"""


def same_moments(
    options: InputOptions, form: CellForm, *, zoneless: bool = False
) -> Callable[[sql.Composable, sql.Composable], sql.Composable] | None:
    """Return the SQL of a test whether a stored and a given datetime have the same cell.

    A cell may show less than the stored value: no fraction of the second, no seconds, or no offset
    when clocks go back. None if cells show everything.

    zoneless: whether the values have the type `timestamp without time zone`.
    """
    pattern = options.datetime_format
    digits = _MICROSECONDS if pattern is None else precision(pattern)
    zone = None if pattern is None or has_zone(pattern) else options.timezone
    if form is CellForm.SHEET:
        digits, zone = min(digits, _MILLISECONDS), options.timezone
    if digits == _MICROSECONDS and zone is None:
        return None
    template = _SHOWN.get(digits, f"trunc(extract(epoch FROM {{}}), {digits})")

    def test(stored: sql.Composable, given: sql.Composable) -> sql.Composable:
        values: tuple[sql.Composable, ...] = (stored, given)
        if zoneless:
            stored_in = sql.Literal(connection.timezone_name)
            values = tuple(fails("({} AT TIME ZONE {})", each, stored_in) for each in values)
        cells = (
            sql.SQL(template).format(
                fails("({} AT TIME ZONE {})", each, sql.Literal(zone or "UTC"))
            )
            for each in values
        )
        return sql.SQL("{} = {}").format(*cells)

    return test


def date(cell: Cell) -> Conversion:
    """Return the conversion of a date: ISO 8601, or a pattern of a date that begins otherwise."""
    pattern = cell.options.datetime_format
    readable = fails("{} ~ {}", cell.raw, sql.Literal(_ISO_DATE))
    iso = fails("CASE WHEN {} THEN {} END", readable, cell.raw)
    if pattern is not None and not has_time(pattern) and not pattern.startswith("y"):
        iso = fails("coalesce({}, {})", iso, _ordinary(inverted(pattern, cell.raw).moment))
    day = cell.prepare(iso)
    value = cell.prepared(day)
    accepted = "a date such as 2024-12-25"
    result = fails("{}::date", value)
    problems = (
        *_unreadable(cell, value, accepted),
        *_impossible(cell, value, "date", result, accepted),
    )
    return Conversion(result, problems, (day,), text=cell.text)


def datetime(cell: Cell) -> Conversion:
    """Return the conversion of a datetime: by the batch's pattern, or ISO 8601 without one."""
    pattern = cell.options.datetime_format
    zone = sql.Literal(cell.options.timezone)
    if pattern is None:
        accepted = "a datetime such as 2024-12-25T14:30:00Z"
        # Only few texts have a decimal comma, which PostgreSQL does not read.
        iso: sql.Composable = fails("replace(btrim({}), ',', '.')", cell.raw)
        readable = fails("{} ~ {}", cell.raw, sql.Literal(_ISO_DATETIME))
        moment = cell.prepare(fails("CASE WHEN {} THEN {} END", readable, iso))
        has_offset = fails("{} ~ {}", cell.text, sql.Literal(_HAS_OFFSET))
        result = fails(
            "CASE WHEN {0} THEN {1}::timestamptz ELSE {1}::timestamp AT TIME ZONE {2} END",
            has_offset,
            cell.prepared(moment),
            zone,
        )
    else:
        accepted = f"a datetime of the pattern {pattern}"
        inversion = inverted(pattern, cell.raw)
        iso = _ordinary(inversion.moment)
        is_native = fails("{} ~ {}", cell.raw, sql.Literal(_NATIVE))
        if cell.form is CellForm.SHEET:
            # The pattern is that of texts: a date of the spreadsheet has none.
            iso = fails("coalesce({0}, CASE WHEN {1} THEN {2} END)", iso, is_native, cell.raw)
        moment = cell.prepare(iso)
        local = "{0}::timestamp AT TIME ZONE {1}"
        with_zone = f"CASE WHEN {{2}} THEN {local} ELSE {{0}}::timestamptz END"
        result = fails(
            with_zone if inversion.has_zone else local,
            cell.prepared(moment),
            zone,
            fails("{} ~ {}", cell.text, sql.Literal(_NATIVE)),
        )
    value = cell.prepared(moment)
    problems = (
        *_unreadable(cell, value, accepted),
        *_impossible(cell, value, "timestamptz", result, accepted),
    )
    if is_zoneless(cell.valued):
        result = fails("(({}) AT TIME ZONE {})", result, sql.Literal(connection.timezone_name))
    return Conversion(result, problems, (moment,), text=cell.text)


def _ordinary(moment: sql.Composable) -> sql.Composable:
    """Return SQL of an ISO text; null if its year is not one of the years 0 to 9999."""
    return sql.SQL(_ORDINARY).format(moment)


def _unreadable(cell: Cell, value: sql.Composable, accepted: str) -> tuple[Problem, ...]:
    unreadable = fails("{} IS NOT NULL AND {} IS NULL", cell.text, value)
    ambiguous: tuple[Problem, ...] = ()
    if cell.options.datetime_format is None:
        any_order = fails("({}) AND {} ~ {}", unreadable, cell.text, sql.Literal(_ANY_ORDER))
        ambiguous = (
            Problem(
                any_order,
                RowErrorCode.AMBIGUOUS_DATE,
                messages.ambiguous_date(cell.text, cell.name),
            ),
        )
    refused = messages.not_accepted(cell.text, cell.name, accepted)
    return (*ambiguous, Problem(unreadable, RowErrorCode.INVALID_TYPE, refused))


def _impossible(
    cell: Cell, value: sql.Composable, kind: str, result: sql.Composable, accepted: str
) -> Iterator[Problem]:
    """Yield the problems of a day or time that does not exist, such as 2024-02-30, or that Django
    cannot read."""
    refused = messages.not_accepted(cell.text, cell.name, accepted)
    invalid = fails("NOT pg_input_is_valid({}, {})", value, sql.Literal(kind))
    yield Problem(invalid, RowErrorCode.INVALID_TYPE, refused)
    if (out_of_range := not_storable(cell.valued, result)) is not None:
        yield Problem(out_of_range, RowErrorCode.INVALID_TYPE, refused)
