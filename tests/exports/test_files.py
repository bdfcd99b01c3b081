"""Files of exports: split by rows, verified on disk, downloaded by range, read from a replica."""

import csv
import io
from typing import Any

import orjson
import pytest
from django.db import connection, connections
from openpyxl import load_workbook
from pyarrow import parquet
from pytest_django import Settings

from exports.execution import runner
from exports.models import Export, Status
from exports.reading import copy_reader
from exports.reading.stream import ExportStream
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact
from tests.conftest import KeyClient
from tests.exports.conftest import stored_files
from tests.files.faults import DAMAGES, Damage

pytestmark = pytest.mark.django_db(transaction=True)


def ids_of(content: bytes, file_format: str) -> list[str]:
    """Return the first column of a complete file."""
    match file_format:
        case "csv":
            header, *rows = csv.reader(io.StringIO(content.decode(), newline=""))
            assert header == ["id", "notes"]
            return [row[0] for row in rows]
        case "json":
            return [each["id"] for each in orjson.loads(content)]
        case "jsonl":
            return [orjson.loads(line)["id"] for line in content.splitlines()]
        case "parquet":
            column = parquet.read_table(io.BytesIO(content))["id"]
            return [str(value) for value in column.to_pylist()]
        case _:
            rows = [*load_workbook(io.BytesIO(content)).active.values]
            return [str(row[0]) for row in rows[1:]]


@pytest.mark.parametrize("file_format", ["csv", "json", "jsonl", "parquet", "xlsx"])
@pytest.mark.parametrize(("rows", "sizes"), [(1, [1] * 7), (3, [3, 3, 1]), (7, [7]), (100, [7])])
def test_a_new_file_begins_after_max_rows_per_file(
    acme: Organization,
    monkeypatch: pytest.MonkeyPatch,
    file_format: str,
    rows: int,
    sizes: list[int],
) -> None:
    # Small blocks, so that files end inside of one, too.
    monkeypatch.setattr(copy_reader, "BLOCK_BYTES", 250)
    contacts = Contact.objects.bulk_create(
        Contact(organization=acme, name=f"{number}", notes="a\nb" * 30) for number in range(7)
    )
    body: dict[str, Any] = {
        "resource": "contact",
        "format": file_format,
        "max_rows_per_file": rows,
        "options": {"order_by": "id"},
        "csv_field_options": {"columns": ["id", "notes"]},
    }
    stream = ExportStream(parse_export(body), acme.pk)
    files = []
    for file in stream.files():
        files.append(ids_of(b"".join(file), file_format))
        assert file.rows == len(files[-1])
    assert [len(ids) for ids in files] == sizes
    assert [key for ids in files for key in ids] == sorted(contact.pk for contact in contacts)
    assert stream.rows == 7


def test_an_export_without_rows_is_one_file_with_a_header(acme: Organization) -> None:
    stream = ExportStream(parse_export({"resource": "contact", "max_rows_per_file": 5}), acme.pk)
    [content] = [b"".join(file) for file in stream.files()]
    assert content.startswith(b"id,")


@pytest.mark.parametrize(("window_bytes", "first_byte"), [(1, 1), (1 << 20, 0)])
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_an_export_whose_bytes_the_disk_damaged_fails(
    queued: Export, settings: Settings, damage: Damage, window_bytes: int, first_byte: int
) -> None:
    options = settings.STORAGES["longshore"]["OPTIONS"] | {
        "damage": damage,
        "window_bytes": window_bytes,
        "first_byte": first_byte,
    }
    default = {"BACKEND": "tests.files.faults.DamagingDisk", "OPTIONS": options}
    settings.STORAGES = settings.STORAGES | {"longshore": default}
    for attempt in (1, 2, 3):
        Export.objects.update(not_before=None)
        runner.run(queued.pk)
        queued.refresh_from_db()
        assert len(queued.claims) == attempt
    assert queued.status == Status.FAILED
    assert stored_files() == []


@pytest.fixture
def link(alice: KeyClient, queued: Export) -> str:
    runner.run(queued.pk)
    url: str = alice.get(f"/v1/exports/{queued.public_id}/download").json()["url"]
    return url


def body_of(response: Any) -> bytes:
    return b"".join(response.streaming_content)


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-9", slice(0, 10)),
        ("bytes=10-", slice(10, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=-100000", slice(None)),
        ("bytes=3-100000", slice(3, None)),
    ],
)
def test_a_download_can_be_resumed(alice: KeyClient, link: str, header: str, part: slice) -> None:
    whole = body_of(alice.get(link))
    response = alice.get(link, headers={"Range": header})
    expected = whole[part]
    assert (response.status_code, body_of(response)) == (206, expected)
    start = whole.index(expected) if part.start != -7 else len(whole) - 7
    assert response["Content-Range"] == f"bytes {start}-{start + len(expected) - 1}/{len(whole)}"
    assert response["Content-Length"] == str(len(expected))


@pytest.mark.parametrize("header", ["", "bytes=", "bytes=-", "bytes=5-2", "lines=1-2", "bytes=a-b"])
def test_an_invalid_range_gets_the_whole_file(alice: KeyClient, link: str, header: str) -> None:
    response = alice.get(link, headers={"Range": header})
    assert response.status_code == 200
    assert response["Accept-Ranges"] == "bytes"
    assert len(body_of(response)) == int(response["Content-Length"])


@pytest.mark.parametrize("header", ["bytes=100000-", "bytes=-0", "bytes=100000-100001"])
def test_a_range_outside_the_file_is_refused(alice: KeyClient, link: str, header: str) -> None:
    response = alice.get(link, headers={"Range": header})
    size = len(body_of(alice.get(link)))
    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{size}"
    assert response.json() == {
        "error": "range_not_satisfiable",
        "message": f"The file has {size} bytes. The requested range lies outside of it.",
        "details": {"bytes": size},
    }


def test_if_range_with_another_etag_gets_the_whole_file(alice: KeyClient, link: str) -> None:
    etag = alice.get(link)["ETag"]
    for condition, status in ((etag, 206), ('"other"', 200)):
        response = alice.get(link, headers={"Range": "bytes=0-1", "If-Range": condition})
        assert response.status_code == status


@pytest.mark.parametrize("name", ["..", "%2e%2e%2fdemo.json", "..%5cdemo.json", "x/../../y"])
def test_a_path_in_the_name_cannot_leave_the_storage(
    alice: KeyClient, link: str, name: str
) -> None:
    signature = link.partition("?")[2]
    response = alice.get(f"/v1/exports/files/{name}?{signature}")
    # The signature alone selects the file; the name in the URL is for people.
    assert response.status_code == 404 or body_of(response) == body_of(alice.get(link))


def test_rows_are_read_from_the_replica_that_the_settings_name(
    acme: Organization, contacts: list[Contact], settings: Settings
) -> None:
    replica = connections.databases["default"] | {
        "OPTIONS": {"options": "-c search_path=replica,public"}
    }
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA replica")
        cursor.execute(
            "CREATE TABLE replica.longshore_logistics_contact AS"
            " SELECT * FROM public.longshore_logistics_contact WHERE email = 'petr@example.org'"
        )
    connections.databases["replica"] = replica
    settings.EXPORT_DATABASE = "replica"
    try:
        body = {"resource": "contact", "csv_field_options": {"columns": ["name"]}}
        content = b"".join(ExportStream(parse_export(body), acme.pk))
        assert content.decode() == f"name\n{contacts[4].name}\n"
    finally:
        del connections.databases["replica"]
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA replica CASCADE")
