"""XLSX: typed cells that independent readers read back, sheets, and values that do not fit."""

import io
import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from exports.formats import workbook
from exports.formats.base import FileColumn, FormatLimit
from exports.formats.excel_dates import number_format
from exports.formats.workbook import MAX_CELL_CHARACTERS, Workbook
from exports.request.parser import parse_export
from longshore.resources.columns import ColumnType
from tests.exports.samples import COLUMNS, exact, exported, merged, rows, stored
from tests.exports.spreadsheets import escaped

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sample")]
quick = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
FIRST, LAST = date(1900, 3, 1), date(9999, 12, 31)


def sheets(content: bytes) -> list[Any]:
    return list(openpyxl.load_workbook(io.BytesIO(content)).worksheets)


def xlsx_of(*records: dict[str, Any], **output: Any) -> bytes:
    return exported(stored(*records), "xlsx", **output)


def plain(value: Any) -> Any:
    """Return a cell's value as Excel shows it: openpyxl does not decode _xHHHH_."""
    if isinstance(value, str):
        return re.sub("_x([0-9A-F]{4})_", lambda match: chr(int(match[1], 16)), value)
    return value


def expected(record: dict[str, Any], name: str, timezone: str) -> Any:
    """Return the value of a cell; None if the test compares it by parsing."""
    value = record[name]
    if name in ("list", "json"):
        text = merged(value)
        return None if text is None else escaped(text)
    match value:
        case bool() | None:
            return value
        case int():
            return value if abs(value) < 10**15 else str(value)
        case Decimal():
            digits = f"{value:.10f}"
            # Zeros at the end do not count.
            short = len(digits.rstrip("0").replace(".", "").lstrip("-").lstrip("0")) <= 15
            return float(digits) if short else digits
        case float():
            is_normal = value == 0 or 2.3e-308 < abs(value) < 1e308
            return value if is_normal else None
        case datetime():
            local = value.astimezone(ZoneInfo(timezone))
            if not FIRST <= local.date() <= LAST:
                return local.isoformat(timespec="microseconds")
            return local.replace(tzinfo=None, microsecond=local.microsecond // 1000 * 1000)
        case date():
            fits = value >= FIRST
            return datetime.combine(value, datetime.min.time()) if fits else value.isoformat()
        case _:
            return escaped(value)


@quick
@given(st.lists(rows, max_size=6), st.sampled_from(["UTC", "America/New_York"]))
def test_any_values_are_read_back(records: list[dict[str, Any]], timezone: str) -> None:
    content = xlsx_of(*records, timezone=timezone)
    [sheet] = sheets(content)
    header, *cell_rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert header == [*COLUMNS]
    assert len(cell_rows) == len(records)
    for row, record in zip(cell_rows, records, strict=True):
        for name, cell in zip(COLUMNS, row, strict=True):
            value = expected(record, name, timezone)
            if name == "float" and value is None and record[name] is not None:
                assert float(cell) == record[name]
            elif name == "json" and value is None and record[name] is not None:
                assert exact(plain(cell)) == exact(json.dumps(record[name]))
            else:
                assert plain(cell) == value, name
                assert isinstance(cell, bool) == (name == "boolean" and value is not None)
    read = CalamineWorkbook.from_filelike(io.BytesIO(content))
    first, *others = read.get_sheet_by_index(0).to_python(skip_empty_area=False)
    assert first == [*COLUMNS]
    flags = [row[COLUMNS.index("boolean")] for row in others]
    # calamine omits empty rows at the end.
    flags += [""] * (len(records) - len(flags))
    assert flags == ["" if record["boolean"] is None else record["boolean"] for record in records]


TEXTS = ["a", " a ", "a\nb", "a\tb", "\r\n", "\x01\x02\x03\x1f", "<&>\"'", "]]>"]
TEXTS += ["_x0041_", "_x005F_x0041_", "_xD83D_"]


def test_special_characters_are_read_back() -> None:
    content = xlsx_of(*({"text": text} for text in TEXTS), columns=["text"], escape_formulas=False)
    [sheet] = sheets(content)
    assert [plain(row[0].value) for row in sheet.iter_rows(min_row=2)] == TEXTS
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert [row[0] for row in rows[1:]] == TEXTS


def test_no_cell_is_a_formula() -> None:
    for escape in (True, False):
        content = xlsx_of({"text": "=1+1"}, columns={"text": "=2"}, escape_formulas=escape)
        [sheet] = sheets(content)
        assert [cell.data_type for [cell] in sheet.iter_rows()] == ["s"] * 2
        texts = ["'=2", "'=1+1"] if escape else ["=2", "=1+1"]
        assert [cell.value for [cell] in sheet.iter_rows()] == texts


def test_the_header_is_bold_and_frozen() -> None:
    [sheet] = sheets(xlsx_of({"text": "x" * 30}, columns=["boolean", "text"]))
    assert sheet.freeze_panes == "A2"
    assert [cell.font.b for row in sheet.iter_rows() for cell in row] == [True] * 2 + [False] * 2
    assert sheet.title == "Samples"
    widths = [sheet.column_dimensions[letter].width for letter in "AB"]
    assert widths == [9, 32]


def test_without_a_header_the_first_row_is_data() -> None:
    [sheet] = sheets(xlsx_of({"text": "x"}, columns=["text"], include_header=False))
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [["x"]]
    assert sheet.freeze_panes is None
    [sheet] = sheets(xlsx_of(columns=["text"], include_header=False))
    assert list(sheet.iter_rows()) == []


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("yyyy-MM-dd HH:mm:ss", 'yyyy"-"mm"-"dd" "hh":"mm":"ss'),
        ("MM/dd/yyyy hh:mm:ss a", '[$-409]mm"/"dd"/"yyyy" "hh":"mm":"ss" "AM/PM'),
        ("yyyy-MM-dd'T'HH:mm:ss.SSS", 'yyyy"-"mm"-"dd"T"hh":"mm":"ss.000'),
        ("EEE d MMMM yy", '[$-409]ddd" "d" "mmmm" "yy'),
        ("H 'o\"clock'", 'h" o"\\""clock"'),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSZ", None),
        ("hh:mm", None),
        ("HH:mm a", None),
        ("HH MM", None),
        ("mm.yyyy", None),
        ("ss,SSS", None),
        ("SSS", None),
        ("QQQ yyyy", None),
        ("'x'", None),
        ("ss MM", 'ss" "mm'),
    ],
)
def test_a_pattern_is_translated_to_a_number_format(pattern: str, expected: str | None) -> None:
    assert number_format(pattern) == expected


@pytest.mark.parametrize(
    "pattern", ["yyyy-MM-dd HH:mm:ss", "EEE, d MMM yyyy h:mm:ss a", "dd.MM.yy HH:mm:ss.SSS"]
)
def test_datetimes_are_dates_in_the_requested_time_zone(pattern: str) -> None:
    moment = datetime(2024, 7, 4, 3, 59, 59, 999_999, tzinfo=UTC)
    record = {"date": date(2024, 2, 29), "datetime": moment}
    options = {"timezone": "America/New_York", "datetime_format": pattern}
    [sheet] = sheets(xlsx_of(record, columns=["datetime", "date"], **options))
    moment_cell, day_cell = sheet[2]
    assert moment_cell.is_date
    assert moment_cell.number_format == number_format(pattern)
    local = datetime(2024, 7, 3, 23, 59, 59)
    milliseconds = timedelta(milliseconds=999 if "SSS" in pattern else 0)
    assert moment_cell.value == local + milliseconds
    assert (day_cell.value, day_cell.number_format) == (datetime(2024, 2, 29), "yyyy-mm-dd")


def test_a_pattern_that_excel_cannot_display_gives_text_cells() -> None:
    moment = datetime(2024, 7, 4, tzinfo=UTC)
    options = {"datetime_format": "yyyy 'week' ww <'&'> Z"}
    [sheet] = sheets(xlsx_of({"datetime": moment}, columns=["datetime"], **options))
    assert sheet["A2"].value == "2024 week 27 <&> Z"


@pytest.mark.parametrize("text", ["x" * 32_767, "\U0001f600" * 16_383 + "x", "'" * 32_767])
def test_a_text_of_the_maximum_length_fits(text: str) -> None:
    [sheet] = sheets(xlsx_of({"text": text}, columns=["text"]))
    assert sheet["A2"].value == text


@pytest.mark.parametrize("text", ["x" * 32_768, "\U0001f600" * 16_384, "=" * 32_767])
def test_a_longer_text_raises_an_error_that_names_the_column(text: str) -> None:
    with pytest.raises(FormatLimit, match="'The text' holds a text of more than 32,767 characters"):
        xlsx_of({"text": "x"}, {"text": text}, columns={"boolean": True, "text": "The text"})


def numbers(first: int, last: int) -> bytes:
    return b"".join(b"<c><v>%d</v></c>\n" % number for number in range(first, last))


def test_rows_above_the_maximum_of_a_sheet_are_on_the_next_sheet() -> None:
    spec = parse_export({"resource": "sample", "format": "xlsx"})
    book = Workbook([FileColumn("n", ColumnType.INTEGER)], spec)
    content = b"".join(
        [book.write(numbers(0, 1_000_000)), book.write(numbers(1_000_000, 1_048_580)), book.close()]
    )
    read = CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert read.sheet_names == ["Samples", "Samples 2"]
    first, second = (read.get_sheet_by_name(name).to_python() for name in read.sheet_names)
    assert (len(first), first[0], first[-1]) == (1_048_576, ["n"], [1_048_574])
    assert second == [["n"], *([n] for n in range(1_048_575, 1_048_580))]


def test_a_block_of_rows_fills_several_sheets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MAX_ROWS", 4)
    records = [{"text": str(number)} for number in range(9)]
    cells = [
        [cell.value for [cell] in sheet.iter_rows()]
        for sheet in sheets(xlsx_of(*records, columns=["text"]))
    ]
    assert cells == [["text", "0", "1", "2"], ["text", "3", "4", "5"], ["text", "6", "7", "8"]]


def test_a_sheet_has_a_maximum_of_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workbook, "MAX_SHEET_BYTES", 5000)
    spec = parse_export({"resource": "sample", "format": "xlsx"})
    book = Workbook([FileColumn("n", ColumnType.INTEGER)], spec)
    blocks = [book.write(numbers(n, n + 50)) for n in range(0, 500, 50)]
    worksheets = sheets(b"".join([*blocks, book.close()]))
    assert len(worksheets) > 2
    values = [cell.value for sheet in worksheets for [cell] in sheet.iter_rows(min_row=2)]
    assert values == list(range(500))


def test_more_columns_than_a_sheet_holds_raise_format_limit() -> None:
    spec = parse_export({"resource": "sample", "format": "xlsx"})
    columns = [FileColumn(f"{n}", ColumnType.TEXT) for n in range(16_385)]
    with pytest.raises(FormatLimit, match="16,384"):
        Workbook(columns, spec)


def test_the_package_does_not_use_zip64() -> None:
    content = xlsx_of({"text": "x"})
    with ZipFile(io.BytesIO(content)) as package:
        assert package.testzip() is None
        assert {info.extract_version for info in package.infolist()} == {20}
        assert package.namelist()[0] == "xl/worksheets/sheet1.xml"


def test_a_header_longer_than_a_cell_raises_format_limit() -> None:
    spec = parse_export({"resource": "shipment", "format": "xlsx"})
    for header in ("k" * MAX_CELL_CHARACTERS, "\U0001f600" * (MAX_CELL_CHARACTERS // 2)):
        Workbook([FileColumn(header, ColumnType.TEXT)], spec)
        with pytest.raises(FormatLimit, match="32,767 characters"):
            Workbook([FileColumn(f"{header}kk", ColumnType.TEXT)], spec)
        Workbook([FileColumn(f"{header}kk", ColumnType.TEXT)], replace(spec, include_header=False))
