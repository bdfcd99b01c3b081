"""A Parquet file has the types of the columns, and every value to the last digit."""

import io
import json
from datetime import UTC, datetime
from typing import Any

import pyarrow
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from pyarrow import parquet

from exports.formats import arrow
from exports.formats.base import FormatLimit, IncompleteFile
from exports.reading import copy_reader
from exports.reading.stream import ExportStream
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Group
from tests.exports.samples import COLUMNS, NASTY, exact, exported, rows, stored
from tests.factories import ContactFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sample")]
quick = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read(content: bytes) -> pyarrow.Table:
    return parquet.read_table(io.BytesIO(content))


def test_a_mark_that_begins_the_first_text_stays() -> None:
    content = exported(stored({"text": "\ufeff=1"}, {"text": "\ufeff"}), "parquet")
    assert read(content).column("text").to_pylist() == ["\ufeff=1", "\ufeff"]


@quick
@given(st.lists(rows, max_size=6), st.sampled_from(["UTC", "America/New_York"]))
def test_every_value_reads_back(records: list[dict[str, Any]], timezone: str) -> None:
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
    found = table.to_pylist()
    assert len(found) == len(records)
    for row, record in zip(found, records, strict=True):
        document, expected = row.pop("json"), record["json"]
        assert (document is None) == (expected is None)
        assert document is None or exact(document) == exact(json.dumps(expected))
        assert row == {name: record[name] for name in COLUMNS if name != "json"}


def test_every_text_in_a_list_reads_back() -> None:
    lists = [[*NASTY], [], [None], [""], [None, "", None], None, *([text] for text in NASTY)]
    content = exported(stored(*({"list": each} for each in lists)), "parquet", columns=["list"])
    assert read(content)["list"].to_pylist() == lists


def test_a_single_column_may_be_null() -> None:
    texts = [None, "", None, "\n", None]
    content = exported(stored(*({"text": text} for text in texts)), "parquet", columns=["text"])
    assert read(content)["text"].to_pylist() == texts


def test_relations_are_a_label_and_a_list_of_labels(acme: Organization) -> None:
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


def test_row_groups_have_a_number_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert arrow._ROW_GROUP_ROWS == 122_880
    monkeypatch.setattr(arrow, "_ROW_GROUP_ROWS", 700)
    monkeypatch.setattr(copy_reader, "BLOCK_BYTES", 4_000)
    monkeypatch.setattr("exports.formats.parquet._PARSED_BYTES", 4_000)
    content = exported(stored(*({"integer": n} for n in range(2000))), "parquet")
    metadata = parquet.read_metadata(io.BytesIO(content))
    groups = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
    assert groups == [700, 700, 600]
    assert sorted(read(content)["integer"].to_pylist()) == [*range(2000)]


def test_row_groups_of_wide_rows_are_small_and_compressed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow, "_ROW_GROUP_BYTES", 100_000)
    monkeypatch.setattr(copy_reader, "BLOCK_BYTES", 4_000)
    monkeypatch.setattr("exports.formats.parquet._PARSED_BYTES", 4_000)
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
def test_a_value_without_a_type_fails_and_names_its_column(name: str, text: str) -> None:
    organization = stored({"text": "x"})
    with connection.cursor() as cursor:
        update = sql.SQL("UPDATE tests_sample SET {} = {}")
        cursor.execute(update.format(sql.Identifier(name), sql.Literal(text)).as_string(None))
    with pytest.raises(FormatLimit, match=f"'The header'.*{text}"):
        exported(organization, "parquet", columns={"text": True, name: "The header"})


def test_rows_that_the_file_lacks_are_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = arrow._parsed
    monkeypatch.setattr(arrow, "_parsed", lambda *given: parsed(*given).slice(1))
    with pytest.raises(IncompleteFile, match="2 rows of 3 are in the file"):
        exported(stored({}, {}, {}), "parquet")


def test_a_datetime_is_an_instant_to_the_microsecond() -> None:
    moment = datetime(2024, 11, 3, 5, 30, 0, 123456, tzinfo=UTC)
    organization = stored({"datetime": moment})
    options = {"timezone": "America/New_York", "datetime_format": "yyyy"}
    [row] = read(exported(organization, "parquet", **options)).to_pylist()
    assert row["datetime"].isoformat() == "2024-11-03T01:30:00.123456-04:00"
