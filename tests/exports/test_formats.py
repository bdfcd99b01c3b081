"""Text formats: independent readers read back any values of any rows."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
import zstandard
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exports.formats import formats
from exports.reading.stream import ExportStream
from exports.request.parser import parse_export
from exports.spec import ExportSpec
from longshore.accounts.models import Organization
from tests.exports.nested import joined
from tests.exports.spreadsheets import escaped
from tests.samples import Sample

TEXTS = (
    *("", " ", "a,b", 'say "hi"', "line\nline", "\r", "\r\n", "\t", "\\", "\\.", "\\N", "NULL"),
    *("\u2028", "\x85", "\x01\x02", "\x7f", "\ufeff", "=1+1", "+1", "-1", "@SUM(A1)", "'", '"'),
    *("👩\u200d👧", "محمد", "日本語", "é", "e\u0301", "{a}", "%s", "\U0010ffff", " x ", "null"),
)
any_character = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
text = st.sampled_from(TEXTS) | st.text(any_character)
json_value = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(-1e15, 1e15) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
row = st.fixed_dictionaries(
    {
        "text": st.none() | text,
        "integer": st.none() | st.integers(-(2**63), 2**63 - 1),
        "decimal": st.none() | st.decimals(-(10**19), 10**19, places=10),
        "float": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "boolean": st.none() | st.booleans(),
        "date": st.none() | st.dates(),
        "datetime": st.none()
        | st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),
        "list": st.none() | st.lists(text, max_size=3),
        "json": st.none() | json_value,
    }
)
NAMES = ("id", "text", "integer", "decimal", "float", "boolean", "date", "datetime", "list", "json")


DECOMPRESSED: dict[str, Callable[[bytes], bytes]] = {
    "none": bytes,
    "gzip": gzip.decompress,
    "zstd": lambda content: zstandard.ZstdDecompressor().decompressobj().decompress(content),
}
TEXT_FORMATS = ("csv", "json", "jsonl")


def spec_of(file_format: str, compression: str = "none", columns: Any = NAMES) -> ExportSpec:
    output = {"columns": columns if isinstance(columns, dict) else [*columns]}
    return parse_export(
        {
            "resource": "sample",
            "format": file_format,
            "compression": compression,
            "options": {"order_by": "id"},
            "csv_field_options": output,
        }
    )


def exported(organization: Organization, *args: Any, **kwargs: Any) -> bytes:
    """Return the decompressed file. Also checks the stream's number of rows."""
    spec = spec_of(*args, **kwargs)
    stream = ExportStream(spec, organization.pk)
    [content] = [b"".join(file) for file in stream.files()]
    assert stream.rows == Sample.objects.count()
    return DECOMPRESSED[spec.compression](content)


def parsed(content: bytes, file_format: str) -> list[list[Any]]:
    """Read the rows of a file with the standard library and orjson, cells in file order."""
    if file_format == "csv":
        lines = list(csv.reader(io.StringIO(content.decode(), newline="")))
        assert lines[0] == [*NAMES]
        return lines[1:]
    if file_format == "jsonl":
        assert content == b"" or content.endswith(b"\n")
        content = b"[%s]" % b",".join(content.split(b"\n")[:-1])
    objects = orjson.loads(content)
    # orjson rounds decimals to floats; json keeps every digit.
    for record, exact in zip(objects, json.loads(content, parse_float=Decimal), strict=True):
        record["decimal"] = exact["decimal"]
    return [list(record.values()) for record in objects]


def as_json(value: Any) -> Any:
    """Return a stored value as JSON represents it."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    return value.isoformat() if isinstance(value, date) else value


def as_csv(value: Any) -> Any:
    """Return a stored value as `from_csv` reads it: an empty text reads like null."""
    value = joined(value) if isinstance(value, list) else value
    cell = escaped(value) if isinstance(value, str) else as_json(value)
    return None if cell == "" else cell


READERS: dict[str, Callable[[str], Any]] = {
    "integer": int,
    "decimal": Decimal,
    "float": float,
    "boolean": {"true": True, "false": False}.__getitem__,
}


def from_csv(name: str, cell: str) -> Any:
    return READERS.get(name, str)(cell) if cell else None


@pytest.mark.usefixtures("sample")
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=st.lists(row, max_size=6))
def test_any_values_are_read_back_from_every_format(
    values: list[dict[str, Any]], acme: Organization
) -> None:
    Sample.objects.all().delete()
    Sample.objects.bulk_create(
        Sample(id=f"{number:03}", organization=acme, **fields)
        for number, fields in enumerate(values)
    )
    stored = list(Sample.objects.order_by("id").values_list(*NAMES))
    for compression in DECOMPRESSED:
        for name in ("json", "jsonl"):
            records = parsed(exported(acme, name, compression), name)
            assert records == [[as_json(value) for value in record] for record in stored]
        lines = parsed(exported(acme, "csv", compression), "csv")
        for cells, record in zip(lines, stored, strict=True):
            read = [from_csv(name, cell) for name, cell in zip(NAMES, cells, strict=True)]
            assert read[:-1] == [as_csv(value) for value in record[:-1]]
            if isinstance(record[-1], dict):
                assert orjson.loads(cells[-1]) == record[-1]


@pytest.mark.usefixtures("sample")
def test_special_characters_are_read_back(acme: Organization) -> None:
    for number, value in enumerate(TEXTS):
        Sample.objects.create(
            id=f"{number:03}",
            organization=acme,
            text=value,
            list=[value, value],
            json={value: [value]},
        )
    records = [parsed(exported(acme, name), name) for name in TEXT_FORMATS]
    for in_csv, in_json, in_lines in zip(*records, strict=True):
        assert in_json == in_lines
        value = in_json[1]
        assert in_json[-2:] == [[value, value], {value: [value]}]
        assert (in_csv[1], in_csv[-2]) == (escaped(value), escaped(joined([value, value])))
        assert orjson.loads(in_csv[-1]) == {value: [value]}
    assert [line[1] for line in records[1]] == [*TEXTS]


@pytest.mark.usefixtures("sample")
def test_csv_distinguishes_an_empty_text_from_null(acme: Organization) -> None:
    for key, value in (("a", ""), ("b", None), ("c", '"')):
        Sample.objects.create(id=key, organization=acme, text=value)
    content = exported(acme, "csv", columns=["id", "text"])
    assert content == b'id,text\na,""\nb,\nc,""""\n'


@pytest.mark.usefixtures("sample")
@pytest.mark.parametrize("column", [name for name in NAMES if name != "id"])
def test_rows_of_one_empty_cell_are_in_the_file(column: str, acme: Organization) -> None:
    Sample.objects.bulk_create(Sample(id=str(n), organization=acme) for n in range(3))
    content = exported(acme, "csv", columns=[column])
    assert list(csv.reader(io.StringIO(content.decode()))) == [[column], [""], [""], [""]]
    assert orjson.loads(exported(acme, "json", columns=[column])) == [{column: None}] * 3


@pytest.mark.usefixtures("sample")
@pytest.mark.parametrize(
    ("name", "empty"), [("csv", b"id,text\n"), ("json", b"[]"), ("jsonl", b"")]
)
def test_an_export_without_rows_is_a_valid_file(
    name: str, empty: bytes, acme: Organization
) -> None:
    assert exported(acme, name, columns=["id", "text"]) == empty
    assert exported(acme, name, "gzip", columns=["id", "text"]) == empty


@pytest.mark.usefixtures("sample")
def test_headers_are_quoted_and_escaped_like_cells(acme: Organization) -> None:
    headers = ["a,b", 'say "hi"', "line\nline", "\r", "=1", " ", "日本語", "a\\", "%s", "{0}"]
    columns = dict(zip(NAMES, headers, strict=True))
    content = exported(acme, "csv", columns=columns)
    rows = list(csv.reader(io.StringIO(content.decode(), newline="")))
    assert rows == [[escaped(header) for header in headers]]
    Sample.objects.create(id="a", organization=acme)
    (record,) = orjson.loads(exported(acme, "json", columns=columns))
    assert list(record) == headers


@pytest.mark.usefixtures("sample")
def test_nan_and_infinity_are_texts_in_json(acme: Organization) -> None:
    Sample.objects.create(id="a", organization=acme, float=float("nan"))
    Sample.objects.create(id="b", organization=acme, float=float("-inf"))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tests_sample SET datetime = 'infinity', date = '-infinity'")
    first, second = orjson.loads(exported(acme, "json"))
    assert (first["float"], second["float"]) == ("NaN", "-Infinity")
    assert (first["datetime"], first["date"]) == ("infinity", "-infinity")


@pytest.mark.usefixtures("sample")
def test_a_file_of_many_blocks_holds_all_rows(acme: Organization) -> None:
    Sample.objects.bulk_create(
        Sample(id=f"{n:06}", organization=acme, text="x" * 1000 + '"\n') for n in range(3000)
    )
    ids = [f"{n:06}" for n in range(3000)]
    for name in TEXT_FORMATS:
        for compression in DECOMPRESSED:
            content = exported(acme, name, compression)
            assert [record[0] for record in parsed(content, name)] == ids


def test_all_format_modules_are_registered_by_name() -> None:
    assert list(formats) == ["csv", "json", "jsonl", "parquet", "xlsx"]
    for name, file_format in formats.items():
        assert file_format.name == file_format.extension == name
        assert "/" in file_format.content_type
