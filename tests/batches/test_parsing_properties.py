"""Random inputs, compared with what Python's readers and compressors make of them."""

import csv
import gzip
import io
import json
import re
from typing import Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batches.parsing import decompression
from batches.parsing import records as record_reader
from batches.parsing.errors import InputError
from batches.parsing.json_arrays import ArrayLines
from longshore.files.compression import Compression
from longshore.files.formulas import escape_formula, escape_inside_cells
from tests.batches.parsed import opened, staged

pytestmark = pytest.mark.django_db
# The staging tables are replaced by each example.
staging = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])

PIECES = [*"ab1'é漢😀 \\.\t|;,\"", "\n", "\r\n", "\r", "\u2028", "\x0b", "\x1f"]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
WITH_NUL = st.lists(st.sampled_from([*PIECES, "\0"]), max_size=6).map("".join)
CELLS = st.none() | TEXTS | WITH_NUL | st.just("x" * 3_000)
ROWS = st.lists(st.lists(CELLS, max_size=5), min_size=1, max_size=8)


@staging
@given(
    ROWS,
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    st.booleans(),
)
def test_csv(
    rows: list[list[str | None]], delimiter: str, line_end: str, encoding: str, ends: bool
) -> None:
    def line(cells: list[str | None]) -> str:
        quoted = ("" if c is None else '"' + c.replace('"', '""') + '"' for c in cells)
        return delimiter.join(quoted)

    text = line_end.join([line(["a", "b", "c"]), *map(line, rows)]) + line_end * ends
    source = opened(text.encode(encoding), delimiter=delimiter, unescape_formulas=False)
    # An empty line is no record, for both readers.
    records = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    expected = {
        number: row
        for number, row in enumerate(records[1:], 1)
        if len(row) == 3 and not any("\0" in cell for cell in row)
    }
    if len(records) == 1:
        with pytest.raises(InputError, match="no rows"):
            staged(source)
        return
    found = staged(source)
    assert {n: [cell or "" for cell in row] for n, row in found.rows.items()} == expected
    assert {n for n, *_ in found.malformed} == set(range(1, len(records))) - set(expected)
    given_rows = [row for row in rows if row and row != [None]]
    for number, row in found.rows.items():
        assert row == given_rows[number - 1]
    columns = {(n, column) for n, column, *_ in found.malformed if column}
    assert columns == {
        (number, header)
        for number, row in enumerate(records[1:], 1)
        if len(row) == 3
        for header, cell in zip("abc", row, strict=True)
        if "\0" in cell
    }


@staging
@given(st.lists(st.sampled_from([*'a1,"\n', "\r", '""', ',"', '",', '"\n'])).map("".join))
def test_careless_quotes(text: str) -> None:
    content = f"a,b\n{text}"
    records = [row for row in csv.reader(io.StringIO(content, newline="")) if row]
    source = opened(content.encode(), delimiter=",", unescape_formulas=False)
    try:
        found = staged(source)
    except InputError as error:
        # Python's reader accepts the end of the file as a closing quote.
        if len(records) > 1 and "without a closing" not in error.message:
            raise
        return
    expected = {number: row for number, row in enumerate(records[1:], 1) if len(row) == 2}
    assert {n: [cell or "" for cell in row] for n, row in found.rows.items()} == expected


@staging
@given(
    st.lists(st.text("ab", min_size=1, max_size=2), min_size=1, max_size=4),
    st.sampled_from(["csv", "json"]),
)
def test_headers_that_occur_twice(headers: list[str], file_format: str) -> None:
    is_unique = len(set(headers)) == len(headers)
    if file_format == "csv":
        cells = ",".join(str(number) for number in range(len(headers)))
        content = f"{','.join(headers)}\n{cells}\n"
        if not is_unique:
            with pytest.raises(InputError, match="have the same header"):
                opened(content.encode(), delimiter=",")
            return
    else:
        members = ", ".join(f'"{header}": {number}' for number, header in enumerate(headers))
        content = f'[{{"{headers[0]}": null}}, {{{members}}}]'
    source = opened(content.encode())
    found = staged(source)
    twice = [message for *_, message in found.malformed]
    if is_unique:
        assert twice == []
        row = dict(zip(source.headers(), found.rows[max(found.rows)], strict=True))
        assert row == {header: str(number) for number, header in enumerate(headers)}
    else:
        [message] = twice
        [named] = [each for each in set(headers) if message.endswith(f': "{each}".')]
        assert headers.count(named) > 1


@staging
@given(st.lists(st.integers(0, 300), min_size=1, max_size=6), st.booleans())
def test_fields_of_any_size(sizes: list[int], is_quoted: bool) -> None:
    """Fields are smaller than a block, cross its end, or are larger than the largest row."""
    small, large = 64, 256
    cells = [str(number % 10) * size for number, size in enumerate(sizes)]
    quote = '"' if is_quoted else ""
    rows = [f"{number},{quote}{cell}{quote}\n" for number, cell in enumerate(cells)]
    source = opened(f"a,b\n{''.join(rows)}".encode(), delimiter=",")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_reader, "BLOCK_BYTES", small)
        patch.setattr(record_reader, "MAX_ROW_BYTES", large)
        try:
            found = staged(source)
        except InputError as error:
            # A row fits if it is not larger than a block; two blocks may have a larger one.
            number = int(re.findall(r"Row (\d+) has more than 256 bytes", error.message)[0])
            assert len(rows[number - 1]) > large
            return
    assert [row[1] or "" for row in found.rows.values()] == cells


@given(
    st.sampled_from([Compression.GZIP, Compression.ZSTD]),
    st.integers(0, 3_000),
    st.binary(max_size=40),
    st.integers(1, 70),
)
def test_bombs(compression: Compression, zeros: int, noise: bytes, size: int) -> None:
    text = noise + bytes(zeros)
    packed = gzip.compress(text) if compression is Compression.GZIP else zstandard.compress(text)
    blocks = [packed[start : start + size] for start in range(0, len(packed), size)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decompression, "MAX_BYTES", 1_000)
        patch.setattr(decompression, "MAX_RATIO", 4)
        maximum = max(1_000, 4 * len(packed))
        if len(text) > maximum:
            with pytest.raises(InputError, match=f"decompresses to more than {maximum:,} bytes"):
                b"".join(decompression.decompressed(blocks, compression, len(packed)))
        else:
            found = b"".join(decompression.decompressed(blocks, compression, len(packed)))
            assert found == text


@staging
@given(st.lists(st.sampled_from([*"=+-@a1, ;\"'", "\t", "HYPERLINK("]), max_size=5), st.booleans())
def test_escaped_formulas(pieces: list[str], unescape: bool) -> None:
    text = "".join(pieces).replace("'", "")
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([["a", "b"], [escape_formula(text), "x"]])
    content = escape_inside_cells(file.getvalue().encode(), ",")
    source = opened(content, delimiter=",", unescape_formulas=unescape)
    [[cell, _]] = staged(source).rows.values()
    [_, [escaped, _]] = csv.reader(io.StringIO(content.decode(), newline=""))
    assert (cell or "") == (text if unescape else escaped)


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS | st.floats(-9, 9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["a", "b", 'c"é'])
RECORDS = st.lists(st.dictionaries(KEYS, VALUES), min_size=1, max_size=6)
LAYOUTS = st.sampled_from([None, 0, 2, "\t"])


@staging
@given(RECORDS, LAYOUTS, st.booleans(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_json(records: list[dict[str, Any]], layout: Any, is_ascii: bool, encoding: str) -> None:
    content = json.dumps(records, indent=layout, ensure_ascii=is_ascii)
    source = opened(content.encode(encoding))
    found = staged(source)
    headers = source.headers()
    assert sorted(headers) == sorted(set().union(*records))
    assert len(found.rows) == len(records)
    for number, record in enumerate(records, 1):
        absent = found.absent.get(number, [])
        assert {headers[index] for index in absent} == set(headers) - set(record)
        for header, text in zip(headers, found.rows[number], strict=True):
            value = record.get(header)
            if isinstance(value, dict | list) or (not isinstance(value, str) and value is not None):
                assert text is not None
                assert json.loads(text) == value
            else:
                assert text == value


@given(RECORDS, LAYOUTS, st.integers(1, 50), st.integers(0, 10))
def test_truncated_arrays(
    records: list[dict[str, Any]], layout: Any, size: int, missing: int
) -> None:
    content = json.dumps(records, indent=layout).encode()
    missing = min(missing, len(content) - 1)
    content = content[: len(content) - missing]
    blocks = [content[start : start + size] for start in range(0, len(content), size)]
    array = ArrayLines(blocks)
    lines = [line for line in b"".join(array).split(b"\n") if line]
    assert array.is_closed == (not missing)
    decoded = [json.loads(line) for line in lines]
    assert decoded == records[: len(decoded)]
    assert len(decoded) >= len(records) - 1 - missing
