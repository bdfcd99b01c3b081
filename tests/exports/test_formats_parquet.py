"""Parquet: typed columns, exact values, row groups, and values that do not fit."""

import io
import json
import runpy
from datetime import UTC, datetime
from typing import Any

import pyarrow
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from pyarrow import parquet

from exports.formats import arrow, formats
from exports.formats.base import Block, FileColumn, FormatLimit, IncompleteFile
from exports.reading import copy_reader
from exports.reading.stream import ExportStream
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Group
from longshore.resources.columns import ColumnType
from tests.exports.samples import COLUMNS, NASTY, exact, exported, rows, stored
from tests.factories import ContactFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sample")]
quick = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read(content: bytes) -> pyarrow.Table:
    return parquet.read_table(io.BytesIO(content))


def test_pyarrow_without_jemalloc_is_supported(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(milliseconds: int) -> None:
        raise NotImplementedError("jemalloc support is not built")

    monkeypatch.setattr(pyarrow, "jemalloc_set_decay_ms", refuse)
    assert runpy.run_path(str(arrow.__file__))["ParquetFile"]


def test_a_byte_order_mark_at_the_start_of_the_first_text_is_kept() -> None:
    content = exported(stored({"text": "\ufeff=1"}, {"text": "\ufeff"}), "parquet")
    assert read(content).column("text").to_pylist() == ["\ufeff=1", "\ufeff"]


@quick
@given(st.lists(rows, max_size=6), st.sampled_from(["UTC", "America/New_York"]))
def test_any_values_are_read_back(records: list[dict[str, Any]], timezone: str) -> None:
    table = read(exported(stored(*records), "parquet", timezone=timezone))
    assert table.schema == pyarrow.schema(
        [
            ("text", pyarrow.string()),
            ("integer", pyarrow.int64()),
            ("decimal", pyarrow.decimal128(30, 10)),
            ("float", pyarrow.float64()),
            ("boolean", pyarrow.bool_()),
            ("date", pyarrow.date32()),
            ("datetime", pyarrow.timestamp("us", timezone)),
            ("list", pyarrow.list_(pyarrow.string())),
            ("json", pyarrow.string()),
        ]
    )
    found_rows = table.to_pylist()
    assert len(found_rows) == len(records)
    for row, record in zip(found_rows, records, strict=True):
        document, expected = row.pop("json"), record["json"]
        assert (document is None) == (expected is None)
        assert document is None or exact(document) == exact(json.dumps(expected))
        assert row == {name: record[name] for name in COLUMNS if name != "json"}


def test_any_members_of_a_list_are_read_back() -> None:
    lists = [[*NASTY], [], [None], [""], [None, "", None], None, *([text] for text in NASTY)]
    content = exported(
        stored(*({"list": members} for members in lists)), "parquet", columns=["list"]
    )
    assert read(content)["list"].to_pylist() == lists


def test_nulls_in_a_single_column_are_read_back() -> None:
    texts = [None, "", None, "\n", None]
    content = exported(stored(*({"text": text} for text in texts)), "parquet", columns=["text"])
    assert read(content)["text"].to_pylist() == texts


def test_to_many_relations_are_lists_of_labels_or_ids(acme: Organization) -> None:
    groups = [Group.objects.create(organization=acme, name=name) for name in ("B, b", "A", "=c")]
    ContactFactory(organization=acme, name="1", groups=groups)
    ContactFactory(organization=acme, name="2")
    columns = ["name", "groups", "groups.id"]
    body = {"resource": "contact", "format": "parquet", "csv_field_options": {"columns": columns}}
    content = b"".join(ExportStream(parse_export(body), acme.pk))
    first, second = sorted(read(content).to_pylist(), key=lambda row: row["name"])
    assert first["groups"] == ["=c", "A", "B, b"]
    assert first["groups.id"] == [groups[2].pk, groups[1].pk, groups[0].pk]
    assert (second["groups"], second["groups.id"]) == ([], [])


def test_a_row_group_has_a_maximum_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert arrow.ROW_GROUP_ROWS == 122_880
    monkeypatch.setattr(arrow, "ROW_GROUP_ROWS", 700)
    monkeypatch.setattr(copy_reader, "BLOCK_BYTES", 4_000)
    monkeypatch.setattr("exports.formats.parquet_format.PARSED_BYTES", 4_000)
    content = exported(stored(*({"integer": n} for n in range(2000))), "parquet")
    metadata = parquet.read_metadata(io.BytesIO(content))
    groups = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
    assert groups == [700, 700, 600]
    assert sorted(read(content)["integer"].to_pylist()) == [*range(2000)]


def test_a_row_group_has_a_maximum_of_bytes_and_is_compressed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(arrow, "ROW_GROUP_BYTES", 100_000)
    monkeypatch.setattr(copy_reader, "BLOCK_BYTES", 4_000)
    monkeypatch.setattr("exports.formats.parquet_format.PARSED_BYTES", 4_000)
    texts = [f"{number} " * 50 for number in range(2000)]
    content = exported(stored(*({"text": text} for text in texts)), "parquet", columns=["text"])
    metadata = parquet.read_metadata(io.BytesIO(content))
    assert metadata.num_rows == 2000
    assert metadata.num_row_groups > 2
    for index in range(metadata.num_row_groups):
        column = metadata.row_group(index).column(0)
        assert column.compression == "ZSTD"
        assert column.total_uncompressed_size < 200_000
    assert read(content)["text"].to_pylist() == texts


@pytest.mark.parametrize(
    ("name", "text"), [("datetime", "infinity"), ("date", "-infinity"), ("decimal", "NaN")]
)
def test_a_value_outside_the_type_raises_an_error_that_names_the_column(
    name: str, text: str
) -> None:
    organization = stored({"text": "x"})
    with connection.cursor() as cursor:
        update = sql.SQL("UPDATE tests_sample SET {} = {}")
        cursor.execute(update.format(sql.Identifier(name), sql.Literal(text)).as_string(None))
    with pytest.raises(FormatLimit, match=f"'The header'.*{text}"):
        exported(organization, "parquet", columns={"text": True, name: "The header"})


def test_rows_missing_from_the_file_raise_incomplete_file() -> None:
    spec = parse_export({"resource": "sample", "format": "parquet"})
    columns = [FileColumn("number", ColumnType.INTEGER)]
    with pytest.raises(IncompleteFile, match="has 2 of 3 rows"):
        list(formats["parquet"].write(columns, [Block(rows=3, data=b"1\n2\n")], spec))


def test_a_datetime_keeps_its_microseconds_whatever_the_pattern() -> None:
    moment = datetime(2024, 11, 3, 5, 30, 0, 123456, tzinfo=UTC)
    organization = stored({"datetime": moment})
    options = {"timezone": "America/New_York", "datetime_format": "yyyy"}
    [row] = read(exported(organization, "parquet", **options)).to_pylist()
    assert row["datetime"].isoformat() == "2024-11-03T01:30:00.123456-04:00"
