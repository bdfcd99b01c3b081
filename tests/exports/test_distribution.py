"""One file written by several workers: its content, its limits, and how lost work is repeated."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, Any

import moto.s3.models
import pytest
import zstandard
from django.db import connection
from pytest_django import Settings

from exports.execution import distribution, joining, partitions, runner
from exports.models import Export, ExportPartition, Lane, Status
from exports.reading import copy_reader, partitioning
from exports.reading.stream import ExportStream
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact, ContactGroup, Group
from longshore.files.storage import file_storage
from longshore.jobs import heartbeats
from tests.exports.conftest import export_of, working
from tests.files.buckets import BUCKET
from tests.records import copies

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 4000
MIN_PART = 64 << 10
BODIES: dict[str, dict[str, Any]] = {
    "csv": {"csv_field_options": {"bom": True, "line_end": "\r\n"}},
    "jsonl": {"format": "jsonl"},
    "json": {"format": "json"},
    "ordered": {"options": {"order_by": "email", "direction": "desc"}},
    "filtered": {"format": "json", "options": {"name": "Contact 1,Contact 5"}},
    "limited": {"options": {"order_by": "name,email", "limit": 2345}},
    "with includes": {"format": "json", "options": {"order_by": "id"}, "includes": ["groups"]},
    "repeated": {
        "csv_field_options": {"properties": "repeat", "columns": ["id", "notes", "groups"]}
    },
}


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """Scale all sizes down, those of the S3 server too, and pretend that workers are idle."""
    monkeypatch.setattr(moto.s3.models, "S3_UPLOAD_PART_MIN_SIZE", MIN_PART)
    monkeypatch.setattr(partitions, "MIN_PART_BYTES", MIN_PART)
    monkeypatch.setattr(joining, "_JOINED_BYTES", MIN_PART * 5 // 4)
    monkeypatch.setattr(distribution, "PART_BYTES", MIN_PART * 2)
    monkeypatch.setattr(distribution, "MIN_PARTS", 2)
    monkeypatch.setattr(distribution, "_POLL_SECONDS", 0.05)
    monkeypatch.setattr(distribution, "_REQUEST_SECONDS", 0.1)
    monkeypatch.setattr(partitioning, "PAGES_PER_SLICE", 10)
    monkeypatch.setattr(copy_reader, "BLOCK_BYTES", 3000)
    monkeypatch.setattr(heartbeats, "slots", lambda *_: 4)
    settings.EXPORT_PARALLEL_ROWS = 0


@pytest.fixture
def large(acme: Organization, globex: Organization, small_parts: None) -> Organization:
    """Create an organization with about 4 MB of contacts that compress badly."""
    for organization in (acme, globex):
        copies(
            Contact.objects.create(organization=organization),
            ROWS - 1,
            name="'Contact ' || n % 7",
            email="n || '@example.com'",
            notes="(SELECT string_agg(md5(n::text || i), '\n') FROM generate_series(1, n % 50) i)",
        )
    group = Group.objects.create(organization=acme, name="All")
    other = Group.objects.create(organization=acme, name="Other")
    ContactGroup.objects.bulk_create(
        ContactGroup(contact=contact, group=each)
        for contact in Contact.objects.filter(organization=acme)[:100]
        for each in (group, other)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE longshore_logistics_contact")
    return acme


@pytest.fixture
def helper(large: Organization) -> Iterator[None]:
    """Run a Celery worker beside the process of the test, which runs the export."""
    with working("large"):
        yield


def an_export(organization: Organization, body: dict[str, Any], **values: Any) -> Export:
    return export_of(organization, {"resource": "contact"} | body, lane=Lane.LARGE, **values)


def run(export: Export) -> Export:
    runner.run(export.pk)
    export.refresh_from_db()
    return export


def content_of(export: Export) -> bytes:
    with file_storage.open(export.files.get().storage_key) as file:
        return bytes(file.read())


def expected_of(export: Export) -> bytes:
    """Return the file that one worker reads, without compression."""
    spec = export.parsed_spec()
    plain = spec.from_json(spec.to_json() | {"compression": "none"})
    return b"".join(ExportStream(plain, export.organization_id))


def manifest_of(export: Export) -> dict[str, Any]:
    folder = export.files.get().storage_key.rpartition("/")[0]
    with file_storage.open(f"{folder}/manifest.json") as file:
        return dict(json.load(file))


def decompressed(content: bytes, compression: str) -> bytes:
    match compression:
        case "gzip":
            # A reader of one member, as in browsers, gets the whole file.
            first = zlib.decompressobj(wbits=31)
            text = first.decompress(content)
            assert first.eof
            assert first.unused_data == b""
            assert gzip.decompress(content) == text
            return text
        case "zstd":
            reader = zstandard.ZstdDecompressor().stream_reader(
                io.BytesIO(content), read_across_frames=True
            )
            return bytes(reader.read())
    return content


@pytest.mark.parametrize(
    ("name", "compression"),
    [
        *product(["csv", "json"], ["none", "gzip", "zstd"]),
        *[(name, "gzip") for name in BODIES if name not in ("csv", "json")],
    ],
)
def test_the_file_equals_the_file_of_one_worker(
    large: Organization, bucket: S3Client, helper: None, name: str, compression: str
) -> None:
    export = run(an_export(large, BODIES[name] | {"compression": compression}))
    assert export.status == Status.COMPLETED
    content = content_of(export)
    assert decompressed(content, compression) == expected_of(export)
    file = export.files.get()
    assert (file.bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    pieces_of = manifest_of(export)["partitions"]
    assert len(pieces_of) > 1
    assert file.rows == export.records_count == sum(each["rows"] for each in pieces_of)
    position = 0
    for piece in pieces_of:
        read = content[position : position + piece["bytes"]]
        assert hashlib.sha256(read).hexdigest() == piece["sha256"]
        position += piece["bytes"]
    assert not ExportPartition.objects.exists()
    assert "Uploads" not in bucket.list_multipart_uploads(Bucket=BUCKET)
