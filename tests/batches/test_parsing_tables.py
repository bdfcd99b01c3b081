"""XLSX and Parquet, written by independent libraries."""

import gzip
import io
import json
import zipfile
from contextlib import suppress
from datetime import UTC, date, datetime, time
from decimal import Decimal
from time import process_time
from typing import Any

import openpyxl
import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from batches.errors import BatchErrorCode
from batches.parsing import decompression, parquet_input, workbook_scan
from batches.parsing.errors import InputError
from batches.spec import InputFormat
from batches.targets import Target
from longshore.resources.columns import Column, ColumnType
from tests.batches.parsed import opened, staged

pytestmark = pytest.mark.django_db


def workbook(*sheets: list[list[Any]], names: tuple[str, ...] = ()) -> bytes:
    book = openpyxl.Workbook()
    for index, rows in enumerate(sheets):
        sheet = book.active if not index else book.create_sheet()
        assert sheet is not None
        sheet.title = names[index] if names else f"Sheet {index}"
        for row in rows:
            sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def target(name: str, kind: ColumnType) -> Target:
    return Target(name, Column(name, kind, "{row}.x", field=name))


def test_cells() -> None:
    content = workbook(
        [
            ["text", "number", "moment", "day", "flag"],
            [" a ", 1, datetime(2024, 1, 2, 3, 4, 5, 678000), date(2024, 1, 2), True],
            ["'=1+1", 0.1, time(3, 4), None, False],
            [None, None, None, None, None],
            ["'+5", 1e21, -12345678901, 2.5, "x\ny"],
        ]
    )
    source = opened(content)
    assert source.detected.as_json()["sheet"] == "Sheet 0"
    found = staged(source)
    assert found.rows == {
        1: [" a ", "1", "2024-01-02T03:04:05.678000", "2024-01-02", "true"],
        2: ["=1+1", "0.1", "03:04:00", None, "false"],
        3: ["'+5", "1e+21", "-12345678901", "2.5", "x\ny"],
    }
    assert staged(opened(content, unescape_formulas=False)).rows[2][0] == "'=1+1"
    assert staged(source, limit=2).rows.keys() == {1, 2}


def test_sheets_with_the_same_header_are_read() -> None:
    content = workbook(
        [["a"], [1]], [["b"], [9]], [], [["a"], [2], [3]], names=("x", "y", "e", "z")
    )
    source = opened(content)
    assert staged(source).rows == {1: ["1"], 2: ["2"], 3: ["3"]}
    assert source.warnings == [
        "The sheet 'y' was ignored, because its header differs from that of the first sheet."
    ]


def test_errors_in_cells() -> None:
    content = workbook([[None, None], [None, "a", "b"], [None, 1, "#N/A"], [None, 2, 3, 4]])
    found = staged(opened(content))
    assert found.malformed == [
        (1, "b", "malformed_row", "The cell in row 3 of the sheet holds the error #N/A."),
        (2, "", "malformed_row", "The row has more cells than the header, which has 2."),
    ]
    assert found.parsed.malformed == 2
    text = b'<c t="str"><v>a</v></c>'
    unknown = packed(b'<row>%b<c t="str"><v>b</v></c></row><row><c t="e"/>%b</row>' % (text, text))
    assert [row for row, *_ in staged(opened(unknown)).malformed] == [1]


def packed(sheet: bytes, texts: bytes | None = None) -> bytes:
    """Return a workbook with the given sheet data and shared texts."""
    file = io.BytesIO(workbook([["a"], ["b"]]))
    result = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name.startswith("xl/worksheets/"):
                start, end = content.index(b"<sheetData"), content.index(b"</sheetData>")
                content = content[:start] + b"<sheetData>" + sheet + content[end:]
            new.writestr(name, content)
        if texts is not None:
            new.writestr("xl/SharedStrings.xml", texts)
    return result.getvalue()


def test_distant_cells_are_refused_before_they_are_allocated() -> None:
    row = b'<row r="1"><c r="A1"><v>1</v></c></row>'
    distant = row + b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    with pytest.raises(InputError, match="2,000,000 cells"):
        opened(packed(distant))


def test_bombs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_scan, "MAX_PART_BYTES", 1 << 20)
    with pytest.raises(InputError, match=r"sheet1.xml has more than 1,048,576 bytes"):
        opened(packed(b" " * (1 << 21)))


def test_copies_of_a_shared_text_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = f"<sst><si><t>a</t></si><si><t>{'x' * 30_000}</t></si></sst>".encode()
    cells = b'<row><c t="s"><v>0</v></c></row>' + b'<row><c t="s"><v>1</v></c></row>' * 100
    monkeypatch.setattr(workbook_scan, "MAX_TEXT_BYTES", 1 << 20)
    content = packed(cells, texts)
    with pytest.raises(InputError, match="texts of a sheet have more than 1,048,576 bytes"):
        opened(content)
    monkeypatch.setattr(workbook_scan, "MAX_TEXT_BYTES", 1 << 22)
    assert len(staged(opened(content)).rows) == 100


def test_long_elements_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_scan, "MAX_ELEMENT_BYTES", 1 << 20)
    long = b"x" * (1 << 21)
    with pytest.raises(InputError, match="row or text of more than 1,048,576 bytes"):
        opened(packed(b'<row><c t="str"><v>%b</v></c></row>' % long))
    with pytest.raises(InputError, match="row or text of more than 1,048,576 bytes"):
        opened(packed(b"<row/>", b"<sst><si><t>%b</t></si></sst>" % long))
    with pytest.raises(InputError, match="a name of more than 1,024"):
        opened(packed(b"<" + long))


def test_elements_are_split_at_any_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_scan, "BLOCK_BYTES", 7)
    rows = b"".join(b'<x:row r="%d"><c><v>%d</v></c></x:row>' % (n, n) for n in range(1, 50))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("sheet.xml", b"<rows>" + rows + b"</rows>")
    with zipfile.ZipFile(file) as archive:
        elements = list(workbook_scan._split(archive, "sheet.xml", workbook_scan._ROW))
    assert b"".join(elements) == rows + b"</rows>"
    assert len(elements) == 49


def test_cells_without_a_value_are_scanned_in_linear_time() -> None:
    cells = b'<c t="s"/>' * 16_384
    with pytest.raises(InputError, match="more than 16,384 cells"):
        opened(packed(b"<row>" + cells + b"<c/></row>"))
    began = process_time()
    found = list(
        workbook_scan._shared_indexes(cells + b'<c t="s"><v>7</v></c>', range(0, 163_841, 10))
    )
    assert found == [7]
    assert process_time() - began < 1


@pytest.mark.parametrize("cut", [100, 2_000])
def test_damaged_workbooks(cut: int) -> None:
    with pytest.raises(InputError, match="damaged"):
        opened(workbook([["a"], [1]])[:cut])


def test_empty_workbooks() -> None:
    sheets: list[list[list[Any]]] = [[[]], [["a"]]]
    for sheet in sheets:
        with pytest.raises(InputError) as caught:
            staged(opened(workbook(sheet)))
        assert caught.value.code is BatchErrorCode.EMPTY_INPUT
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.csv", "a,b\n1,2\n")
    with pytest.raises(InputError, match="not an XLSX"):
        opened(file.getvalue())


def columns(**arrays: pyarrow.Array) -> bytes:
    file = io.BytesIO()
    parquet.write_table(pyarrow.table(arrays), file, compression="zstd", row_group_size=2)
    return file.getvalue()


def test_parquet() -> None:
    moment = datetime(2024, 1, 2, 3, 4, 5, 6, UTC)
    content = columns(
        text=pyarrow.array(["a", "", None]),
        number=pyarrow.array([1, -2, None]),
        decimal=pyarrow.array([Decimal("1.50"), None, Decimal("-0.01")]),
        float=pyarrow.array([0.1, 1e300, 5.0]),
        flag=pyarrow.array([True, False, None]),
        day=pyarrow.array([date(2024, 1, 2), None, None]),
        moment=pyarrow.array([moment, None, None], pyarrow.timestamp("us", "Asia/Tokyo")),
        local=pyarrow.array([datetime(2024, 1, 2), None, None]),
        binary=pyarrow.array([b"\x00\xff", None, b""]),
        category=pyarrow.array(["x", "y", None]).dictionary_encode(),
    )
    source = opened(content)
    assert source.detected.format is InputFormat.PARQUET
    assert staged(source).rows == {
        1: [
            "a",
            "1",
            "1.50",
            "0.1",
            "true",
            "2024-01-02",
            "2024-01-02T03:04:05.000006Z",
            "2024-01-02T00:00:00.000000",
            "AP8=",
            "x",
        ],
        2: ["", "-2", None, "1e+300", "false", None, None, None, None, "y"],
        3: [None, None, "-0.01", "5", None, None, None, None, "", None],
    }
    assert staged(source, limit=1).rows.keys() == {1}


def test_nested_parquet_is_json() -> None:
    values: dict[str, list[Any]] = {
        "list": [["a", 'q"\\\n\x01é', None], None, []],
        "struct": [{"x": 1, "y": [{"z": 1.5}]}, None, {"x": None, "y": None}],
        "map": [[("k", 1), ('"', None)], None, []],
    }
    content = columns(
        list=pyarrow.array(values["list"]),
        struct=pyarrow.array(values["struct"]),
        map=pyarrow.array(values["map"], pyarrow.map_(pyarrow.string(), pyarrow.int64())),
    )
    assigned = [
        Target(name, Column(name, ColumnType.JSON, "{row}.x", field=name)) for name in values
    ]
    source = opened(content)
    rows = staged(source, assigned).rows
    decoded = [
        [None if text is None else json.loads(text) for text in row] for row in rows.values()
    ]
    maps = [None if each is None else dict(each) for each in values["map"]]
    expected = zip(values["list"], values["struct"], maps, strict=True)
    assert decoded == [list(row) for row in expected]
    text = Target("name", Column("name", ColumnType.TEXT, "{row}.x", field="name"))
    with pytest.raises(InputError, match="name takes a single value, but the column 'list'"):
        staged(source, [text, None, None])


def test_refused_parquet() -> None:
    content = columns(a=pyarrow.array(["x", "y", "z"]))
    with pytest.raises(InputError, match="The Parquet file is damaged"):
        opened(content[:-20])
    with pytest.raises(InputError) as caught:
        opened(columns(a=pyarrow.array([], pyarrow.string())))
    assert caught.value.code is BatchErrorCode.EMPTY_INPUT


def test_a_value_in_parquet_that_cannot_be_read_exactly_is_an_error_of_its_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moments = pyarrow.array([1_000, None, 1_001, 2_000], pyarrow.timestamp("ns"))
    spans = pyarrow.array([[1], [1_000], [5], None], pyarrow.list_(pyarrow.duration("ns")))
    content = columns(a=moments, b=spans, c=pyarrow.array(["w", "x", "y", "z"]))
    text = target("a", ColumnType.TEXT)
    found = staged(opened(content), [text, target("b", ColumnType.JSON), None])
    first = "1970-01-01T00:00:00.000002"
    assert found.rows == {2: [None, '["1 microseconds"]', "x"], 4: [first, None, "z"]}
    assert [each[:3] for each in found.malformed] == [
        (1, "b", "malformed_row"),
        (3, "a", "malformed_row"),
        (3, "b", "malformed_row"),
    ]
    assert "a has a value that cannot be read exactly: Casting" in found.malformed[1][3]
    assert found.sources[1] == "1970-01-01T00:00:00.000001,,w"
    assert found.parsed.malformed == 2
    # The batch does not read an ignored column.
    assert [*staged(opened(content), [None, None, text]).rows] == [1, 2, 3, 4]
    monkeypatch.setattr(parquet_input, "MAX_INEXACT", 0)
    with pytest.raises(InputError, match="'a' has a value that cannot be read exactly"):
        staged(opened(content), [text, None, None])


def test_a_number_in_a_workbook_with_too_many_digits_is_an_error_of_its_row() -> None:
    rows: list[list[Any]] = [
        ["card", "float", "other"],
        [123456789012345, 1e20, 1234567890123456],
        [1234567890123450, 1.5, None],
        ["1234567890123456", 1.5, None],
        [12345678901234567890, 1.5, None],
    ]
    assigned = [target("card", ColumnType.TEXT), target("float", ColumnType.FLOAT), None]
    found = staged(opened(workbook(rows)), assigned)
    assert found.rows == {
        1: ["123456789012345", "100000000000000000000", "1234567890123456"],
        3: ["1234567890123456", "1.5", None],
    }
    message = (
        "card is a number of more than 15 digits, which a workbook does not keep exactly. Format "
        "the column as text and enter the value again."
    )
    assert found.malformed == [(row, "card", "malformed_row", message) for row in (2, 4)]
    assert found.sources[2] == "1234567890123450,1.5,"


def test_a_nul_character_in_parquet_is_an_error_of_its_row() -> None:
    nested = pyarrow.array([["x"], None, ["\0"]])
    found = staged(opened(columns(a=pyarrow.array(["x", "y\0", "z"]), b=nested)))
    assert found.rows == {1: ["x", '["x"]']}
    assert [each[:3] for each in found.malformed] == [
        (2, "a", "malformed_row"),
        (3, "b", "malformed_row"),
    ]
    assert found.parsed.malformed == 2


def test_a_nul_character_in_a_workbook_is_an_error_of_its_row() -> None:
    # The escape of XLSX for a character that XML does not have.
    rows: list[list[Any]] = [["a", "b"], ["x", "y"], ["x", "_x0000_"], ["z", None]]
    found = staged(opened(workbook(rows)))
    assert found.rows == {1: ["x", "y"], 3: ["z", None]}
    assert [each[:3] for each in found.malformed] == [(2, "b", "malformed_row")]
    with pytest.raises(InputError, match="header of column 2 contains a NUL character"):
        opened(workbook([["a", "b_x0000_"], ["x", "y"]]))


def test_columns_that_are_not_text_are_typed() -> None:
    text = pyarrow.array(["x"])
    content = columns(
        text=text,
        shared=text.dictionary_encode(),
        large=text.cast(pyarrow.large_string()),
        moment=pyarrow.array([datetime(2024, 1, 2, tzinfo=UTC)]),
        number=pyarrow.array([Decimal("1.5")]),
        list=pyarrow.array([[date(2024, 1, 2)]]),
        map=pyarrow.array([[("k", 1)]], pyarrow.map_(pyarrow.string(), pyarrow.int64())),
        texts=pyarrow.array([["x"]]),
        objects=pyarrow.array([[{"number": 1, "text": "x"}]]),
        mixed=pyarrow.array([[{"number": 0.5, "text": "x"}]]),
        texts_by_key=pyarrow.array([[(1, "x")]], pyarrow.map_(pyarrow.int64(), pyarrow.string())),
    )
    source = opened(content)
    assert [source.is_typed(each) for each in range(11)] == [
        *[False] * 3,
        *[True] * 4,
        *[False, False, True, False],
    ]
    assert [source.has_json(each) for each in range(11)] == [False] * 5 + [True] * 6


@pytest.mark.slow
def test_a_text_that_many_rows_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_input, "MAX_PIECE_BYTES", 1 << 20)
    monkeypatch.setattr(decompression, "MAX_BYTES", 1 << 24)
    text = "x" * 100_000
    file = io.BytesIO()
    parquet.write_table(pyarrow.table({"a": [text, "y"] * 100}), file)
    found = staged(opened(file.getvalue()))
    assert [found.rows[number] for number in (1, 2, 200)] == [[text], ["y"], ["y"]]
    file = io.BytesIO()
    parquet.write_table(pyarrow.table({"a": [text] * 1_000}), file)
    with pytest.raises(InputError, match="expands to more than 16,777,216 bytes"):
        staged(opened(file.getvalue()))


TABLES = [
    workbook([["a", "b"], ["x", 1], [date(2024, 1, 2), "#N/A"]]),
    packed(
        b'<row r="1"><c t="s"><v>0</v></c></row><row><c><v>1</v></c></row>', b"<si><t>a</t></si>"
    ),
    columns(a=pyarrow.array(["x", None, "z"]), b=pyarrow.array([[1], None, [2]])),
    gzip.compress(b"a,b\n1,2\n3,4\n" * 9),
    b'[{"a": 1, "b": {"c": [2, "x"]}},\n{"a": null}]',
]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(TABLES), st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=4))))
def test_damage_is_an_input_error(content: bytes, changes: list[tuple[float, bytes]]) -> None:
    for position, new in changes:
        start = int(position * len(content))
        content = content[:start] + new + content[start + len(new) :]
    with suppress(InputError):
        staged(opened(content))


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(TABLES), st.floats(0, 1, exclude_max=True))
def test_truncation_is_an_input_error(content: bytes, share: float) -> None:
    cut = int(share * len(content))
    with pytest.raises(InputError):
        staged(opened(content[:cut]))
