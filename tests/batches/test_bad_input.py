"""Inputs that are wrong, over HTTP: each error names what is wrong and where; nothing is lost."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable
from typing import Any, cast

import openpyxl
import pyarrow
import pyarrow.parquet
import pytest
import zstandard
from django.conf import settings as django_settings
from pytest_django import Settings

from batches.models import Batch, BatchError, BatchLimits, JournalEntry
from batches.parsing import decompression
from longshore.accounts.models import Organization
from longshore.domains.commerce.models import Sku
from longshore.domains.logistics.models import Contact, Location, Shipment
from tests.batches.running import created, downloaded, files_of, post_file, run
from tests.conftest import KeyClient
from tests.exports.conftest import storage, stored_files
from tests.records import a_record

__all__ = ["storage"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]

GOOD = b"name,email\nA,a@example.com\nB,b@example.com\n"
MODES = ("sync", "mixed", "async")


def parquet(**columns: list[Any]) -> bytes:
    written = io.BytesIO()
    table = pyarrow.table(columns or {"name": ["A", "B"] * 500})
    pyarrow.parquet.write_table(table, written)
    return written.getvalue()


def xlsx(*rows: list[Any]) -> bytes:
    workbook = openpyxl.Workbook()
    assert workbook.active is not None
    for row in rows or (["name"], ["A"], ["B"]):
        workbook.active.append(row)
    written = io.BytesIO()
    workbook.save(written)
    return written.getvalue()


def bomb() -> bytes:
    """Return 4 MiB of one letter, which compress a thousand times."""
    return gzip.compress(b"name\n" + b"A\n" * (2 << 20))


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


# Content, its name, fields of the request, the code, and parts of the message.
UNUSABLE: dict[str, tuple[Callable[[], bytes], str, dict[str, Any], str, tuple[str, ...]]] = {
    "unknown column": (
        lambda: b"name,emial\nA,a\n",
        "a.csv",
        {},
        "unknown_column",
        ("'emial'", "Did you mean 'email'?"),
    ),
    "another format than said": (
        lambda: b'[{"name": "A"}]',
        "a.csv",
        {"format": "csv"},
        "invalid_input_file",
        ("The file is a JSON array, but the format is csv.",),
    ),
    "XLSX that is CSV": (
        lambda: GOOD,
        "a.xlsx",
        {"format": "xlsx"},
        "invalid_input_file",
        ("The file is CSV, but the format is xlsx.",),
    ),
    "another compression than said": (
        lambda: GOOD,
        "a.csv.gz",
        {"compression": "gzip"},
        "invalid_input_file",
        ("The file is not compressed, but the compression is gzip.",),
    ),
    "a PDF document": (
        lambda: b"%PDF-1.7\n...",
        "a.pdf",
        {},
        "invalid_input_file",
        ("a PDF document",),
    ),
    "truncated gzip": (
        lambda: half(gzip.compress(GOOD * 100)),
        "a.csv.gz",
        {},
        "invalid_input_file",
        ("truncated",),
    ),
    "gzip without its last byte": (
        lambda: gzip.compress(GOOD)[:-1],
        "a.csv.gz",
        {},
        "invalid_input_file",
        ("truncated",),
    ),
    "damaged gzip": (
        lambda: gzip.compress(GOOD)[:-8] + zlib.crc32(b"other").to_bytes(4, "little") + b"\0" * 4,
        "a.csv.gz",
        {},
        "invalid_input_file",
        ("damaged",),
    ),
    "truncated zstd": (
        lambda: zstandard.compress(GOOD * 100)[:-3],
        "a.csv.zst",
        {},
        "invalid_input_file",
        ("truncated",),
    ),
    "truncated Parquet": (
        lambda: half(parquet()),
        "a.parquet",
        {},
        "invalid_input_file",
        ("Parquet",),
    ),
    "truncated XLSX": (lambda: half(xlsx()), "a.xlsx", {}, "invalid_input_file", ("workbook",)),
    "truncated JSON": (
        lambda: b'[{"name": "A"}, {"name": "B"',
        "a.json",
        {},
        "invalid_input_file",
        ("truncated",),
    ),
    "empty": (lambda: b"", "a.csv", {}, "empty_input", ("empty",)),
    "only spaces": (lambda: b" \n\n", "a.csv", {}, "empty_input", ("empty",)),
    "only a header": (lambda: b"name,email\n", "a.csv", {}, "empty_input", ()),
    "an empty array": (lambda: b"[]", "a.json", {}, "empty_input", ()),
    "NUL in the header": (
        lambda: b"name,a\0b\nA,b\n",
        "a.csv",
        {"csv": {"encoding": "utf-8"}},
        "invalid_input_file",
        ("NUL",),
    ),
    "invalid UTF-8": (
        lambda: b"name\nZo\xc3\x28\n",
        "a.csv",
        {"csv": {"encoding": "utf-8"}},
        "invalid_input_file",
        ("utf-8",),
    ),
    "too many columns": (
        lambda: (",".join(f"c{n}" for n in range(1_600)) + "\n").encode(),
        "a.csv",
        {},
        "invalid_input_file",
        ("1,600 columns", "1,598"),
    ),
    "a header that occurs twice": (
        lambda: b"name,name\nA,B\n",
        "a.csv",
        {},
        "invalid_input_file",
        ("1 and 2", "'name'"),
    ),
    "a header without a name": (
        lambda: b"name,\nA,B\n",
        "a.csv",
        {},
        "invalid_input_file",
        ("column 2",),
    ),
    "an open quote": (lambda: b'name\n"A\n', "a.csv", {}, "invalid_input_file", ()),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", UNUSABLE)
def test_an_unusable_file_fails_the_batch(alice: KeyClient, case: str, mode: str) -> None:
    content, name, request, code, parts = UNUSABLE[case]
    batch = created(post_file(alice, content(), name, mode=mode, **request))
    if batch.status == "queued":
        run(batch)
    assert (batch.status, (batch.error or {}).get("error")) == ("failed", code), batch.error
    assert batch.error is not None
    for part in parts:
        assert part in batch.error["message"]
    assert batch.reason == batch.error["message"]
    # A retry would not help; it was not tried.
    assert len(batch.claims) <= 1
    assert not Contact.objects.exists()
    assert not JournalEntry.objects.exists()


def test_a_missing_key_fails_the_batch(alice: KeyClient) -> None:
    body = {"resource": "sku", "data": [{"name": "A"}], "mode": "sync"}
    shown = alice.post("/v1/batches", body).json()
    assert (shown["status"], shown["error"]["error"]) == ("failed", "missing_key")
    assert "code" in shown["error"]["message"]
    assert not Sku.objects.exists()


def test_a_missing_column_fails_the_batch(alice: KeyClient) -> None:
    body = {"resource": "shipment", "data": [{"status": "delivered"}], "mode": "sync"}
    shown = alice.post("/v1/batches", body).json()
    assert (shown["status"], shown["error"]["error"]) == ("failed", "missing_column")
    assert "tracking_number" in shown["error"]["message"]
    assert not Shipment.objects.exists()


def test_a_decompression_bomb_is_refused(alice: KeyClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decompression, "MAX_BYTES", 1 << 20)
    shown = post_file(alice, bomb(), "a.csv.gz", mode="mixed").json()
    assert (shown["status"], shown["error"]["error"]) == ("failed", "invalid_input_file")
    assert "decompresses to more than 1,048,576 bytes" in shown["error"]["message"]
    assert not Contact.objects.exists()


@pytest.mark.parametrize("way", ["multipart", "data", "upload"])
def test_one_byte_over_the_limit(alice: KeyClient, settings: Settings, way: str) -> None:
    body = [{"name": "A"}]
    content = GOOD if way != "data" else json.dumps(body, ensure_ascii=False).encode()
    for excess in (0, 1):
        settings.BATCH_MAX_BYTES = len(content) - excess
        if way == "multipart":
            answer = post_file(alice, content, mode="async")
        elif way == "data":
            request = {"resource": "contact", "data": body, "mode": "async"}
            answer = alice.post("/v1/batches", request)
        else:
            upload = alice.post("/v1/batches", {"resource": "contact", "upload": True}).json()
            answer = alice.generic(
                "PUT",
                upload["upload"]["url"],
                cast("str", content),
                content_type="application/octet-stream",
            )
        if not excess:
            assert answer.status_code in (201, 204)
            continue
        assert (answer.status_code, answer.json()["error"]) == (422, "file_too_large")
        assert f"more than {len(content) - 1:,} bytes" in answer.json()["message"]
        assert answer.json()["details"] == {"maximum": len(content) - 1}
    assert len(stored_files()) == 1


# Rows, what else the request says, and the error: row, column, code and parts of the message.
Expected = tuple[int, str, str, tuple[str, ...]]
WRONG: dict[str, tuple[str, dict[str, Any], Expected]] = {
    "no boolean": (
        "name,is_primary\nA,true\nB,perhaps\n",
        {},
        (2, "is_primary", "invalid_type", ("'perhaps'", "is_primary")),
    ),
    "no choice": (
        "name,resource\nA,contact\nB,contcat\n",
        {"resource": "group"},
        (2, "resource", "invalid_choice", ("'contcat'", "Did you mean 'contact'?")),
    ),
    "an ambiguous date": (
        "tracking_number,estimated_delivery_at\nA,2024-02-01\nB,01/02/2024\n",
        {"resource": "tracker"},
        (2, "estimated_delivery_at", "ambiguous_date", ("'01/02/2024'", "datetime_format")),
    ),
    "a record that does not exist": (
        "name,location_id\nA,\nB,loc_nowhere\n",
        {"resource": "group"},
        (2, "location_id", "not_found", ("There is no location", "'loc_nowhere'")),
    ),
    "an id that does not exist": (
        "id,name\n,A\nctct_nobody,B\n",
        {},
        (2, "id", "not_found", ("'ctct_nobody'",)),
    ),
    "too long": (
        "country_code,city\nUS,A\nUSA,B\n",
        {"resource": "address"},
        (2, "country_code", "too_long", ("'USA'", "3 characters", "the maximum is 2")),
    ),
    "an empty key": (
        "code,name\nA,A\n,B\n",
        {"resource": "sku"},
        (2, "code", "missing_key", ("code must have a value",)),
    ),
    "a mapped header": (
        "Main?,name\nyes,A\nperhaps,B\n",
        {"mapping": {"Main?": "is_primary"}},
        (2, "Main?", "invalid_type", ("'perhaps'", "true or false")),
    ),
    "a NUL character": (
        "name,notes\nA,B\nB,C\0D\n",
        {},
        (2, "notes", "malformed_row", ("notes contains a NUL character",)),
    ),
    "a date of no year that Django reads": (
        "tracking_number,estimated_delivery_at\nA,9999-12-31\nB,infinity\n",
        {"resource": "tracker"},
        (2, "estimated_delivery_at", "invalid_type", ("'infinity'", "such as 2024-12-25")),
    ),
    "too many cells": ("name,notes\nA,B\nB,C,D\n", {}, (2, "", "malformed_row", ("3",))),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_error_names_row_column_and_value(alice: KeyClient, case: str) -> None:
    content, request, (row, column, code, parts) = WRONG[case]
    batch = run(created(post_file(alice, content, mode="async", **request)))
    assert batch.status == "completed", batch.error
    assert (batch.created_count, batch.failed_count) == (1, 1), list(
        BatchError.objects.values_list("message", flat=True)
    )
    shown = alice.get(f"/v1/batches/{batch.public_id}/errors").json()["results"]
    assert [(each["row"], each["column"], each["code"]) for each in shown] == [(row, column, code)]
    for part in parts:
        assert part in shown[0]["message"]
    failed = files_of(alice, batch)["failed.csv"]
    assert len(failed.splitlines()) == 2
    assert shown[0]["message"].replace('"', '""') in failed


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("on_error", ["abort", {"max_errors": 0}])
def test_nothing_is_written_unless_errors_are_skipped(
    alice: KeyClient, case: str, on_error: Any
) -> None:
    content, request, _ = WRONG[case]
    batch = run(created(post_file(alice, content, mode="async", on_error=on_error, **request)))
    assert (batch.status, (batch.error or {}).get("error")) == ("failed", "too_many_errors")
    assert "Nothing was written." in batch.reason
    assert (batch.created_count, batch.failed_count) == (0, 1)
    assert not JournalEntry.objects.exists()
    assert set(files_of(alice, batch)) == {
        "failed.csv",
        "unprocessed.csv",
        "errors.csv",
        "errors.jsonl",
        "upload.csv",
    }
    [error] = alice.get(f"/v1/batches/{batch.public_id}/errors").json()["results"]
    assert error["row"] == 2


@pytest.mark.parametrize(
    ("record", "column", "text"),
    [
        (b'{"name": "B\\u0000"}', "name", "name contains a NUL character"),
        (b'{"name": "B", "notes": "\\ud800"}', "notes", "an unpaired surrogate"),
        (b'{"name": "B\0"}', "", "a NUL character"),
        (b'{"name": "B", "metadata": {"a": 1e999999}}', "metadata", "numeric"),
        (b'{"name": "B", "metadata": {"a": 1e400}}', "metadata", "a number that is too large"),
        (b'{"name": "B", "name": "C"}', "", 'a key twice: "name"'),
        (b'{"name": {"first": "B"}}', "name", ""),
        (b'{"name": ["B"]}', "name", ""),
        (b'{"name": null}', "name", "must have a value"),
        (b'"B"', "", "object"),
        (b"{", "", ""),
    ],
)
def test_a_bad_json_record_does_not_harm_the_others(
    alice: KeyClient, record: bytes, column: str, text: str
) -> None:
    content = b'{"name": "A"}\n' + record + b'\n{"name": "C"}\n'
    batch = run(created(post_file(alice, content, "a.jsonl", mode="async")))
    assert batch.status == "completed", batch.error
    assert sorted(Contact.objects.values_list("name", flat=True)) == ["A", "C"]
    [error] = alice.get(f"/v1/batches/{batch.public_id}/errors").json()["results"]
    assert (error["row"], error["column"]) == (2, column), error
    assert text in error["message"]
    files = files_of(alice, batch)
    assert [json.loads(line)["row"] for line in files["result.jsonl"].splitlines()] == [1, 2, 3]


BAD_RECORDS = [
    '{"name": "x\0"}',
    '{"name": "\x02"}',
    '{"name": NaN}',
    '"B"',
    f'{{"name": "D", "metadata": {"[" * 100}{"]" * 100}}}',
    '{"name": "E", "is_primary": "perhaps"}',
]
# A file whose first row is good, the number of its other rows, and parts of its failed rows.
UNREADABLE: dict[str, tuple[Callable[[], bytes], int, list[str]]] = {
    "csv": (
        lambda: b"name,notes,is_primary\nA,a,true\nB,b,true,c\nC,x\0,true\nD\nE,=1+1,perhaps\n",
        4,
        ["B,b,true,c,", "C,x\ufffd,true,", "D,", "E,'=1+1,perhaps,"],
    ),
    "xlsx": (
        lambda: xlsx(
            ["name", "notes", "is_primary"],
            ["A", None, True],
            ["@SUM(1)", "#N/A"],
            ["B", "x_x0000_", True],
            ["C", None, None, "@SUM(1)"],
            ["D", "@SUM(1)", "perhaps"],
        ),
        4,
        ["'@SUM(1),#N/A,,", "B,x\ufffd,true,", "C,,,'@SUM(1),", "D,'@SUM(1),perhaps,"],
    ),
    "parquet": (
        lambda: parquet(
            name=["A", "@SUM(1)", "C"],
            notes=["a", "x\0", None],
            is_primary=["true", None, "perhaps"],
        ),
        2,
        ["'@SUM(1),x\ufffd,,", "C,,perhaps,"],
    ),
    "jsonl": (
        lambda: "\n".join(['{"name": "A"}', *BAD_RECORDS]).encode(),
        len(BAD_RECORDS),
        ['"x\ufffd', '"\\u0002', "NaN", '"B', "[[[", '{"name": "E", "is_primary": "perhaps","_err'],
    ),
    "json": (
        lambda: ('[{"name": "A"},\n' + ",\n".join(BAD_RECORDS) + "]").encode(),
        len(BAD_RECORDS),
        ['"x\ufffd', '"\\u0002', "NaN", '"B', "[[[", '{"name": "E", "is_primary": "perhaps","_err'],
    ),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_each_failed_row_is_in_the_file(alice: KeyClient, case: str) -> None:
    content, count, parts = UNREADABLE[case]
    batch = run(created(post_file(alice, content(), f"a.{case}", mode="async")))
    assert (batch.status, batch.created_count) == ("completed", 1), batch.error
    file = batch.files.get(kind="failed")
    assert batch.failed_count == file.rows == count
    listed = alice.get(f"/v1/batches/{batch.public_id}/files").json()["results"]
    [url] = [each["url"] for each in listed if each["kind"] == "failed"]
    text = downloaded(url).decode()
    if file.format == "csv":
        header, *lines = csv.reader(io.StringIO(text))
        assert header[-1] == "_errors"
        assert all(line[-1].endswith(".") for line in lines)
        assert len(lines) == count
    else:
        rows = json.loads(text) if case == "json" else list(map(json.loads, text.splitlines()))
        assert len(rows) == count
        assert all(row["_errors"] for row in rows)
        assert [row["_source"] for row in rows if "_source" in row][2:4] == ['{"name": NaN}', '"B"']
    for part in parts:
        assert part in text.replace('\\"', '"')


def test_a_failed_file_is_mended_and_sent_again(alice: KeyClient) -> None:
    content = "name;is_primary\nA;true\nB;perhaps\nC;no way\n"
    batch = run(created(post_file(alice, content, mode="async")))
    failed = files_of(alice, batch)["failed.csv"]
    mended = failed.replace("B;perhaps", "B;false").replace("C;no way", "C;true")
    second = run(created(post_file(alice, mended, mode="async")))
    assert (second.status, second.created_count) == ("completed", 2)
    assert sorted(Contact.objects.values_list("name", flat=True)) == ["A", "B", "C"]


def test_the_failed_rows_of_a_file_with_apostrophes_have_quotation_marks(alice: KeyClient) -> None:
    content = "'name';'is_primary'\n'A; B';'true'\n'C''s; D';'perhaps'\n"
    batch = run(created(post_file(alice, content, mode="async")))
    assert alice.get(f"/v1/batches/{batch.public_id}").json()["input"]["quote"] == "'"
    failed = files_of(alice, batch)["failed.csv"]
    assert '"C\'s; D";perhaps;' in failed
    run(created(post_file(alice, failed.replace("perhaps", "false"), mode="async")))
    assert sorted(Contact.objects.values_list("name", flat=True)) == ["A; B", "C's; D"]


@pytest.mark.parametrize("handling", ["ignore_all", "use_first"])
def test_two_rows_with_one_key(alice: KeyClient, handling: str) -> None:
    rows = [
        {"code": "a", "name": "First"},
        {"code": "b", "name": "Other"},
        {"code": "a", "name": "Second"},
    ]
    body = {"resource": "sku", "data": rows, "mode": "sync", "duplicate_handling": handling}
    shown = alice.post("/v1/batches", body).json()
    errors = alice.get(f"{shown['url']}/errors").json()["results"]
    found = [(each["row"], each["code"]) for each in errors]
    written = set(Sku.objects.values_list("code", "name"))
    if handling == "use_first":
        assert found == [(3, "duplicate_row")]
        assert written == {("a", "First"), ("b", "Other")}
        assert "row 1" in errors[0]["message"]
    else:
        assert found == [(1, "duplicate_row"), (3, "duplicate_row")]
        assert written == {("b", "Other")}
        assert "row 3" in errors[0]["message"]
        assert "row 1" in errors[1]["message"]


def test_two_rows_with_one_record_by_id_and_by_key(alice: KeyClient, acme: Organization) -> None:
    sku = a_record(Sku, acme, code="a", name="Old")
    rows = [{"id": sku.pk, "name": "By id"}, {"code": "a", "name": "By key"}]
    shown = alice.post("/v1/batches", {"resource": "sku", "data": rows, "mode": "sync"}).json()
    errors = alice.get(f"{shown['url']}/errors").json()["results"]
    assert [(each["row"], each["code"]) for each in errors] == [
        (1, "duplicate_row"),
        (2, "duplicate_row"),
    ]
    sku.refresh_from_db()
    assert sku.name == "Old"


def test_a_row_that_the_database_refuses_aborts_everything(
    alice: KeyClient, acme: Organization
) -> None:
    # Two locations exchange nothing: the second one gets the key of a record that is not named.
    first, second = (a_record(Sku, acme, code=code, name="Old") for code in "ab")
    rows = [{"id": first.pk, "name": "New"}, {"id": second.pk, "code": "a"}]
    body = {"resource": "sku", "data": rows, "mode": "sync", "on_error": "abort"}
    shown = alice.post("/v1/batches", body).json()
    assert (shown["status"], shown["error"]["error"]) == ("failed", "too_many_errors")
    assert set(Sku.objects.values_list("code", "name")) == {("a", "Old"), ("b", "Old")}
    [error] = alice.get(f"{shown['url']}/errors").json()["results"]
    assert error["row"] == 2
    assert "code" in error["message"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"data": [{"name": "A"}], "upload": True}, "upload"),
        ({}, "data"),
        ({"data": []}, "data"),
        ({"data": [{"name": "A"}, "B"]}, "data"),
        ({"data": {"name": "A"}}, "data"),
        ({"data": [{"name": "A"}], "resource": "contcat"}, "resource"),
        ({"data": [{"name": "A"}], "action": "upsert"}, "action"),
        ({"data": [{"name": "A"}], "mode": "fast"}, "mode"),
        ({"data": [{"name": "A"}], "on_error": "ignore"}, "on_error"),
        ({"data": [{"name": "A"}], "on_error": {"max_errors": -1}}, "on_error"),
        ({"data": [{"name": "A"}], "confirm_deletes": 1}, "confirm_deletes"),
        ({"data": [{"name": "A"}], "only": "create", "action": "delete"}, "only"),
        ({"data": [{"name": "A"}], "timezone": "Europe/Berlln"}, "timezone"),
        ({"data": [{"name": "A"}], "datetime_format": "dd/yyyy"}, "datetime_format"),
        ({"data": [{"name": "A"}], "mapping": {"name": "nmae"}}, "mapping"),
        ({"data": [{"name": "A"}], "properties": {"nmae": 1}}, "properties"),
        ({"data": [{"name": "A"}], "decimal_separator": ";"}, "decimal_separator"),
        ({"data": [{"name": "A"}], "dry_rum": True}, "dry_rum"),
        ({"upload": True, "mode": "sync"}, "mode"),
    ],
)
def test_a_bad_request_names_its_field(alice: KeyClient, body: dict[str, Any], field: str) -> None:
    refused = alice.post("/v1/batches", {"resource": "contact", **body})
    assert refused.status_code == 400, refused.content
    problems = refused.json()["details"]
    named = json.dumps(problems)
    assert f'"{field}' in named, named
    assert not Batch.objects.exists()
    assert stored_files() == []


def multipart(*parts: tuple[str, bytes]) -> bytes:
    blocks = [
        b"--b\r\nContent-Disposition: form-data; "
        + (b'name="file"; filename="a.csv"' if name == "file" else f'name="{name}"'.encode())
        + b"\r\n\r\n"
        + content
        + b"\r\n"
        for name, content in parts
    ]
    return b"".join(blocks) + b"--b--\r\n"


REQUEST = ("request", b'{"resource": "contact", "mode": "async"}')
MULTIPARTS: dict[str, bytes] = {
    "no body": b"",
    "no boundary": b"name\nA\n",
    "no closing boundary": multipart(REQUEST, ("file", GOOD))[:-6],
    "an end in the headers": multipart(REQUEST, ("file", GOOD))[:60],
    "no file": multipart(REQUEST),
    "no request": multipart(("file", GOOD)),
    "two files": multipart(REQUEST, ("file", GOOD), ("file", GOOD)),
    "a part after the file": multipart(REQUEST, ("file", GOOD), ("other", b"x")),
    "two files before the request": multipart(("file", GOOD), ("file", GOOD), REQUEST),
    "a file before and after the request": multipart(("file", GOOD), REQUEST, ("file", GOOD)),
    "two requests": multipart(REQUEST, REQUEST, ("file", GOOD)),
    "an unknown part": multipart(REQUEST, ("other", b"x"), ("file", GOOD)),
    "a request that is no JSON": multipart(("request", b"{"), ("file", GOOD)),
    "a request that is no object": multipart(("request", b"[1]"), ("file", GOOD)),
    "a request that is not UTF-8": multipart(("request", b'{"resource": "\xff"}'), ("file", GOOD)),
    "a request of a megabyte": multipart(
        ("request", b'{"resource": "' + b"x" * (2 << 20) + b'"}'), ("file", GOOD)
    ),
    "data and a file": multipart(
        ("request", b'{"resource": "contact", "data": [{"name": "A"}]}'), ("file", GOOD)
    ),
    "an upload and a file": multipart(
        ("request", b'{"resource": "contact", "upload": true}'), ("file", GOOD)
    ),
}


@pytest.mark.parametrize("case", MULTIPARTS)
def test_a_bad_multipart_body_is_refused(alice: KeyClient, case: str) -> None:
    kind = "multipart/form-data; boundary=b"
    body = cast("str", MULTIPARTS[case])
    refused = alice.generic("POST", "/v1/batches", body, content_type=kind)
    assert 400 <= refused.status_code < 500, refused.content
    assert refused.json()["message"]
    assert not Batch.objects.exists()
    assert stored_files() == []


def test_an_overwrite_says_what_it_deletes_before_it_does(
    alice: KeyClient, acme: Organization
) -> None:
    contacts = [Contact.objects.create(organization=acme, name=f"Old {n}") for n in range(10)]
    location = Location.objects.create(organization=acme, name="Kept")
    rows = [{"id": each.pk, "name": "New"} for each in contacts[:4]]
    body = {"resource": "contact", "data": rows, "mode": "sync", "action": "overwrite"}

    def sent(**request: Any) -> dict[str, Any]:
        shown: dict[str, Any] = alice.post("/v1/batches", body | request).json()
        return shown

    names = set(Contact.objects.values_list("pk", "name"))
    for confirmed in (None, 5, 7, 0):
        dry = sent(dry_run=True, confirm_deletes=confirmed)
        assert (dry["status"], dry["stats"]["deleted"]) == ("completed", 6)
        assert any("confirm_deletes to 6" in warning for warning in dry["warnings"])
        refused = sent(confirm_deletes=confirmed)
        assert (refused["status"], refused["error"]["error"]) == (
            "failed",
            "deletion_not_confirmed",
        )
        assert "6 of 10 records" in refused["error"]["message"]
        assert "confirm_deletes to 6" in refused["error"]["message"]
        assert set(Contact.objects.values_list("pk", "name")) == names
    dry = sent(dry_run=True, confirm_deletes=6)
    assert (dry["status"], dry["stats"]["updated"], dry["stats"]["deleted"]) == ("completed", 4, 6)
    assert dry["reason"] == "Dry run, nothing was written. 4 rows: 4 updated, 6 deleted."
    assert set(Contact.objects.values_list("pk", "name")) == names
    # Exactly half needs no confirmation.
    half_of = sent(data=[*rows, {"id": contacts[4].pk, "name": "New"}], dry_run=True)
    assert (half_of["status"], half_of["stats"]["deleted"]) == ("completed", 5)
    done = sent(confirm_deletes=6)
    assert (done["status"], done["stats"]["deleted"]) == ("completed", 6)
    assert set(Contact.objects.values_list("pk", flat=True)) == {each.pk for each in contacts[:4]}
    assert Location.objects.get() == location
    undo = run(created(alice.post(f"/v1/batches/{done['id']}/undo")))
    assert (undo.status, undo.failed_count) == ("completed", 0)
    assert set(Contact.objects.values_list("pk", "name")) == names


def test_a_confirmed_number_that_is_no_longer_right_is_refused(
    alice: KeyClient, acme: Organization
) -> None:
    for number in range(4):
        Contact.objects.create(organization=acme, name=f"Old {number}")
    sent = post_file(alice, "name\nNew\n", action="overwrite", confirm_deletes=4, mode="async")
    batch = created(sent)
    Contact.objects.create(organization=acme, name="Late")
    run(batch)
    assert (batch.status, (batch.error or {}).get("error")) == ("failed", "deletion_not_confirmed")
    assert "5 of 5 records" in batch.reason
    assert Contact.objects.count() == 5


def test_limits_of_an_organization_decide(alice: KeyClient, acme: Organization) -> None:
    BatchLimits.objects.create(organization=acme, records=1)
    batch = run(created(post_file(alice, GOOD, mode="async")))
    assert (batch.error or {}).get("error") == "too_many_records"
    assert "more than 1 records" in batch.reason
    assert not Contact.objects.exists()
    assert django_settings.BATCH_MAX_RECORDS is None
