"""Files: whatever the rows hold, another reader gets it back, in every format."""

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
    lambda each: st.lists(each, max_size=3) | st.dictionaries(text, each, max_size=3),
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
    """A whole file, whose own numbers are right."""
    spec = spec_of(*args, **kwargs)
    stream = ExportStream(spec, organization.pk)
    [content] = [b"".join(file) for file in stream.files()]
    assert stream.rows == Sample.objects.count()
    return DECOMPRESSED[spec.compression](content)


def parsed(content: bytes, file_format: str) -> list[list[Any]]:
    """The rows of a file in the order of its columns, by readers that are not ours."""
    if file_format == "csv":
        lines = list(csv.reader(io.StringIO(content.decode(), newline="")))
        assert lines[0] == [*NAMES]
        return lines[1:]
    if file_format == "jsonl":
        assert content == b"" or content.endswith(b"\n")
        content = b"[%s]" % b",".join(content.split(b"\n")[:-1])
    objects = orjson.loads(content)
    # The other reader keeps every digit of a number.
    for shown, exact in zip(objects, json.loads(content, parse_float=Decimal), strict=True):
        shown["decimal"] = exact["decimal"]
    return [list(each.values()) for each in objects]


def as_json(value: Any) -> Any:
    """A database's value as JSON shows it."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    return value.isoformat() if isinstance(value, date) else value


def as_csv(value: Any) -> Any:
    """The same of CSV, as `from_csv` reads it: there nothing and an empty text are one."""
    value = joined(value) if isinstance(value, list) else value
    shown = escaped(value) if isinstance(value, str) else as_json(value)
    return None if shown == "" else shown


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
def test_any_rows_come_back_from_every_format(
    values: list[dict[str, Any]], acme: Organization
) -> None:
    Sample.objects.all().delete()
    Sample.objects.bulk_create(
        Sample(id=f"{number:03}", organization=acme, **each) for number, each in enumerate(values)
    )
    kept = list(Sample.objects.order_by("id").values_list(*NAMES))
    for compression in DECOMPRESSED:
        for name in ("json", "jsonl"):
            shown = parsed(exported(acme, name, compression), name)
            assert shown == [[as_json(value) for value in record] for record in kept]
        lines = parsed(exported(acme, "csv", compression), "csv")
        for cells, record in zip(lines, kept, strict=True):
            shown = [from_csv(name, cell) for name, cell in zip(NAMES, cells, strict=True)]
            assert shown[:-1] == [as_csv(value) for value in record[:-1]]
            if isinstance(record[-1], dict):
                assert orjson.loads(cells[-1]) == record[-1]


@pytest.mark.usefixtures("sample")
def test_awkward_texts_come_back(acme: Organization) -> None:
    for number, each in enumerate(TEXTS):
        Sample.objects.create(
            id=f"{number:03}", organization=acme, text=each, list=[each, each], json={each: [each]}
        )
    records = [parsed(exported(acme, name), name) for name in TEXT_FORMATS]
    for shown in zip(*records, strict=True):
        in_csv, in_json, in_lines = shown
        assert in_json == in_lines
        each = in_json[1]
        assert in_json[-2:] == [[each, each], {each: [each]}]
        assert (in_csv[1], in_csv[-2]) == (escaped(each), escaped(joined([each, each])))
        assert orjson.loads(in_csv[-1]) == {each: [each]}
    assert [line[1] for line in records[1]] == [*TEXTS]


@pytest.mark.usefixtures("sample")
def test_csv_keeps_an_empty_text_and_a_null_apart(acme: Organization) -> None:
    for key, value in (("a", ""), ("b", None), ("c", '"')):
        Sample.objects.create(id=key, organization=acme, text=value)
    content = exported(acme, "csv", columns=["id", "text"])
    assert content == b'id,text\na,""\nb,\nc,""""\n'


@pytest.mark.usefixtures("sample")
@pytest.mark.parametrize("column", [name for name in NAMES if name != "id"])
def test_a_single_column_loses_no_row(column: str, acme: Organization) -> None:
    Sample.objects.bulk_create(Sample(id=str(n), organization=acme) for n in range(3))
    content = exported(acme, "csv", columns=[column])
    assert list(csv.reader(io.StringIO(content.decode()))) == [[column], [""], [""], [""]]
    assert orjson.loads(exported(acme, "json", columns=[column])) == [{column: None}] * 3


@pytest.mark.usefixtures("sample")
@pytest.mark.parametrize(
    ("name", "empty"), [("csv", b"id,text\n"), ("json", b"[]"), ("jsonl", b"")]
)
def test_no_rows_are_a_sound_file(name: str, empty: bytes, acme: Organization) -> None:
    assert exported(acme, name, columns=["id", "text"]) == empty
    assert exported(acme, name, "gzip", columns=["id", "text"]) == empty


@pytest.mark.usefixtures("sample")
def test_headers_are_quoted_as_cells_are(acme: Organization) -> None:
    headers = ["a,b", 'say "hi"', "line\nline", "\r", "=1", " ", "日本語", "a\\", "%s", "{0}"]
    columns = dict(zip(NAMES, headers, strict=True))
    content = exported(acme, "csv", columns=columns)
    shown = list(csv.reader(io.StringIO(content.decode(), newline="")))
    assert shown == [[escaped(header) for header in headers]]
    Sample.objects.create(id="a", organization=acme)
    (found,) = orjson.loads(exported(acme, "json", columns=columns))
    assert list(found) == headers


@pytest.mark.usefixtures("sample")
def test_numbers_that_are_none_do_not_break_json(acme: Organization) -> None:
    Sample.objects.create(id="a", organization=acme, float=float("nan"))
    Sample.objects.create(id="b", organization=acme, float=float("-inf"))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tests_sample SET datetime = 'infinity', date = '-infinity'")
    first, second = orjson.loads(exported(acme, "json"))
    assert (first["float"], second["float"]) == ("NaN", "-Infinity")
    assert (first["datetime"], first["date"]) == ("infinity", "-infinity")


@pytest.mark.usefixtures("sample")
def test_a_file_of_many_blocks_is_whole(acme: Organization) -> None:
    Sample.objects.bulk_create(
        Sample(id=f"{n:06}", organization=acme, text="x" * 1000 + '"\n') for n in range(3000)
    )
    ids = [f"{n:06}" for n in range(3000)]
    for name in TEXT_FORMATS:
        for compression in DECOMPRESSED:
            content = exported(acme, name, compression)
            assert [shown[0] for shown in parsed(content, name)] == ids


def test_each_format_names_itself() -> None:
    assert list(formats) == ["csv", "json", "jsonl", "parquet", "xlsx"]
    for name, each in formats.items():
        assert each.name == each.extension == name
        assert "/" in each.content_type
