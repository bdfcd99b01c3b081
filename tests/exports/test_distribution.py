"""One file written by several workers: its content, its limits, and how lost work is repeated."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import threading
import zlib
from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, Any

import moto.s3.models
import psycopg
import pytest
import zstandard
from django.db import connection
from moto.s3.exceptions import S3ClientError
from moto.s3.models import S3Backend
from pytest_django import Settings

from exports.errors import ExportErrorCode
from exports.execution import distribution, joining, partitions, planning, runner
from exports.models import Export, ExportPartition, Lane, PartitionStatus, Status
from exports.reading import copy_reader, partitioning, pieces
from exports.reading.stream import ExportStream
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact, ContactGroup, Group
from longshore.files.storage import file_storage
from longshore.jobs import heartbeats
from tests.exports.conftest import export_of, stored_files, working
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
    monkeypatch.setattr(joining, "JOINED_BYTES", MIN_PART * 5 // 4)
    for module in (planning, distribution):
        monkeypatch.setattr(module, "PART_BYTES", MIN_PART * 2)
    monkeypatch.setattr(distribution, "MIN_PARTS", 2)
    monkeypatch.setattr(distribution, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(distribution, "REQUEST_SECONDS", 0.1)
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
    assert json.loads(json.dumps(file.partitions)) == manifest_of(export)["files"][0]["partitions"]
    assert (file.bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    pieces_of = manifest_of(export)["files"][0]["partitions"]
    assert len(pieces_of) > 1
    assert file.rows == export.records_count == sum(each["rows"] for each in pieces_of)
    position = 0
    for piece in pieces_of:
        read = content[position : position + piece["bytes"]]
        assert hashlib.sha256(read).hexdigest() == piece["sha256"]
        position += piece["bytes"]
    assert not ExportPartition.objects.exists()
    assert "Uploads" not in bucket.list_multipart_uploads(Bucket=BUCKET)


def test_small_partitions_are_joined(large: Organization, bucket: S3Client, helper: None) -> None:
    """Rows in the middle of the table compress so well that a planned part is too small."""
    middle = Contact.objects.filter(organization=large).order_by("pk")[1000:3000]
    Contact.objects.filter(pk__in=middle.values("pk")).update(notes="x" * 800)
    body = {"compression": "gzip", "options": {"order_by": "email"}}
    with pytest.MonkeyPatch.context() as patch:
        seen: set[str] = set()
        join = joining.groups_to_join

        def watched(states: Any) -> Any:
            seen.update(each["status"] for each in states)
            return join(states)

        patch.setattr(distribution, "groups_to_join", watched)
        export = run(an_export(large, body))
    assert export.status == Status.COMPLETED
    assert PartitionStatus.SMALL in seen
    assert decompressed(content_of(export), "gzip") == expected_of(export)
    assert all(each["bytes"] >= MIN_PART for each in manifest_of(export)["files"][0]["partitions"])


def test_a_file_that_turns_out_small_is_written_by_one_worker(
    large: Organization, bucket: S3Client, helper: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads: list[str] = []
    create = S3Backend.create_multipart_upload

    def count(*args: Any, **values: Any) -> Any:
        uploads.append("")
        return create(*args, **values)

    monkeypatch.setattr(S3Backend, "create_multipart_upload", count)
    monkeypatch.setattr(distribution, "sampled_ratio", lambda *_: 100.0)
    body = {"csv_field_options": {"columns": ["id"]}, "compression": "gzip"}
    export = run(an_export(large, body))
    # It was tried.
    assert uploads
    assert export.status == Status.COMPLETED
    assert "partitions" not in manifest_of(export)["files"][0]
    assert decompressed(content_of(export), "gzip") == expected_of(export)
    assert "Uploads" not in bucket.list_multipart_uploads(Bucket=BUCKET)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("create_multipart_upload", "NotImplemented"),
        ("complete_multipart_upload", "InvalidRequest"),
    ],
)
def test_if_the_server_does_not_support_parts_one_worker_writes_the_file(
    large: Organization,
    bucket: S3Client,
    helper: None,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    code: str,
) -> None:
    answer = getattr(S3Backend, call)
    calls: list[str] = []

    def refuse_first(*args: Any, **values: Any) -> Any:
        """Refuse the upload in parts; boto3 saves the file of one worker in parts, too."""
        calls.append(call)
        if len(calls) == 1:
            raise S3ClientError(code, "The checksum is not supported.")
        return answer(*args, **values)

    monkeypatch.setattr(S3Backend, call, refuse_first)
    export = run(an_export(large, {}))
    assert calls
    assert export.status == Status.COMPLETED
    assert len(export.claims) == 1
    assert "partitions" not in manifest_of(export)["files"][0]
    assert content_of(export) == expected_of(export)
    assert "Uploads" not in bucket.list_multipart_uploads(Bucket=BUCKET)


@pytest.mark.parametrize(
    "body", [{"format": "xlsx"}, {"format": "parquet"}, {"max_rows_per_file": 1000}]
)
def test_other_files_are_written_by_one_worker(
    large: Organization, bucket: S3Client, helper: None, body: dict[str, Any]
) -> None:
    export = run(an_export(large, body))
    assert export.status == Status.COMPLETED
    assert "partitions" not in manifest_of(export)["files"][0]


def test_without_an_idle_worker_one_worker_writes_the_file(
    large: Organization, bucket: S3Client, helper: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeats, "slots", lambda *_: 1)
    export = run(an_export(large, {}))
    assert "partitions" not in manifest_of(export)["files"][0]


def test_a_file_on_a_local_disk_is_written_by_one_worker(large: Organization, helper: None) -> None:
    export = run(an_export(large, {}))
    assert export.status == Status.COMPLETED
    assert len(stored_files()) == 2
    assert "partitions" not in manifest_of(export)["files"][0]


def test_no_byte_of_another_worker_passes_through_the_coordinator(
    large: Organization, bucket: S3Client, helper: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The coordinator reads nothing here, and sends only the end of the file."""
    read_next = partitions.read_next

    def read_remotely(export: Export, *, is_remote: bool) -> bool:
        return is_remote and read_next(export, is_remote=is_remote)

    monkeypatch.setattr(distribution, "read_next", read_remotely)
    export = run(an_export(large, {"compression": "gzip"}))
    assert export.status == Status.COMPLETED
    sizes = [each["bytes"] for each in manifest_of(export)["files"][0]["partitions"]]
    assert export.files.get().bytes - sum(sizes) < 20
    assert decompressed(content_of(export), "gzip") == expected_of(export)


def test_the_coordinator_repeats_a_failed_partition_and_reports_its_error(
    large: Organization, bucket: S3Client, helper: None, settings: Settings
) -> None:
    Contact.objects.filter(email="1234@example.com").update(notes="x" * (1 << 20))
    settings.EXPORT_MAX_ROW_BYTES = 1 << 20
    export = run(an_export(large, {}))
    assert export.status == Status.FAILED
    assert export.error is not None
    assert export.error["error"] == ExportErrorCode.FORMAT_LIMIT.value
    assert not ExportPartition.objects.exists()
    assert "Uploads" not in bucket.list_multipart_uploads(Bucket=BUCKET)


def test_an_error_of_one_other_worker_does_not_fail_the_export(
    large: Organization, bucket: S3Client, helper: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = []

    class LostSnapshot(pieces.PieceStream):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            spec, organization, slices, snapshot = arguments
            if not threading.current_thread().name.startswith("distribution"):
                failed.append(slices)
                snapshot = "00000000-00000000-1"
            super().__init__(spec, organization, slices, snapshot, **options)

    monkeypatch.setattr(partitions, "PieceStream", LostSnapshot)
    export = run(an_export(large, {}))
    assert failed
    assert (export.status, len(export.claims)) == (Status.COMPLETED, 1)
    assert content_of(export) == expected_of(export)


@pytest.mark.parametrize(
    ("values", "code"),
    [({"EXPORT_MAX_RECORDS": 1000}, "too_many_records"), ({"EXPORT_MAX_BYTES": 500_000}, None)],
)
def test_limits_end_the_export(
    large: Organization,
    bucket: S3Client,
    helper: None,
    settings: Settings,
    values: dict[str, int],
    code: str | None,
) -> None:
    for name, value in values.items():
        setattr(settings, name, value)
    export = run(an_export(large, {}))
    assert export.status == Status.FAILED
    assert export.error is not None
    assert export.error["error"] == (code or "file_too_large")
    assert "Uploads" not in bucket.list_multipart_uploads(Bucket=BUCKET)
    assert "Contents" not in bucket.list_objects_v2(Bucket=BUCKET)


def test_the_result_of_an_old_claim_is_ignored(large: Organization, bucket: S3Client) -> None:
    export = an_export(large, {}, claims=["claim_x"], status=Status.PROCESSING)
    partition = ExportPartition.objects.create(
        export=export,
        claim="claim_x",
        number=0,
        slices=[],
        expected_bytes=1,
        snapshot="",
        upload="",
    )
    old = partitions._claim(export, True)
    assert old
    assert partitions._claim(export, True) is None
    ExportPartition.objects.update(status=PartitionStatus.PENDING, token="")
    new = partitions._claim(export, True)
    assert new
    assert (old.pk, old.tries, new.tries) == (partition.pk, 1, 2)
    assert not partitions._held(export, old).update(status=PartitionStatus.DONE)
    with pytest.raises(partitions.LostPartition):
        partitions._report(partitions._held(export, old), 1, 1)
    partitions._report(partitions._held(export, new), 1, 1)
    # The attempt ends.
    Export.objects.update(claims=["claim_x", "claim_y"])
    with pytest.raises(partitions.LostPartition):
        partitions._report(partitions._held(export, new), 1, 1)


def test_the_lost_snapshot_is_the_error_of_the_attempt(
    large: Organization, bucket: S3Client, helper: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = ExportStream.share

    def lose(stream: ExportStream, source: Any) -> str:
        shared = share(stream, source)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(%s, 60000)", [source.leader.info.backend_pid]
            )
        connection.close()
        return shared

    errors: list[BaseException] = []

    def record(_: object, __: Export, error: BaseException) -> bool:
        errors.append(error)
        return False

    monkeypatch.setattr(ExportStream, "share", lose)
    monkeypatch.setattr(runner.ExportRunner, "handle", record)
    run(an_export(large, {}))
    assert isinstance(errors[0], psycopg.OperationalError)
