"""One file written by several workers: its content, its limits, and how lost work is repeated."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import threading
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count, product
from typing import TYPE_CHECKING, Any

import moto.s3.models
import psycopg
import pyarrow.parquet as pq
import pytest
import zstandard
from django.db import OperationalError, connection
from moto.s3.exceptions import S3ClientError
from moto.s3.models import S3Backend
from pytest_django import Settings
from python_calamine import CalamineWorkbook

from exports.errors import ExportErrorCode
from exports.execution import (
    coordination,
    distribution,
    joining,
    partition_writing,
    partitions,
    planning,
    runner,
)
from exports.lifecycle import limits
from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export, ExportPartition, Lane, PartitionStatus, Status
from exports.reading import copy_reader, partition_reader, partitioning, stream
from exports.reading.stream import ExportStream
from longshore.accounts.models import Organization
from longshore.cache import cache
from longshore.domains.logistics.models import Contact, ContactGroup, Group
from longshore.files.storage import file_storage
from longshore.files.storage.s3 import BucketStorage
from longshore.jobs import heartbeats, maintenance
from tests.exports.conftest import export_of, stored_files, wait_for, working
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
    "with includes": {"format": "json", "options": {"order_by": "id"}, "includes": ["groups"]},
    "repeated": {
        "csv_field_options": {"properties": "repeat", "columns": ["id", "notes", "groups"]}
    },
}


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """Scale all sizes down, those of the S3 server too, and pretend that workers are idle."""
    monkeypatch.setattr(moto.s3.models, "S3_UPLOAD_PART_MIN_SIZE", MIN_PART)
    monkeypatch.setattr(partition_writing, "MIN_PART_BYTES", MIN_PART)
    monkeypatch.setattr(joining, "JOINED_BYTES", MIN_PART * 5 // 4)
    for module in (planning, distribution):
        monkeypatch.setattr(module, "PART_BYTES", MIN_PART * 2)
    monkeypatch.setattr(distribution, "MIN_PARTS", 2)
    monkeypatch.setattr(coordination, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(coordination, "REQUEST_SECONDS", 0.1)
    monkeypatch.setattr(partitioning, "PAGES_PER_SLICE", 10)
    monkeypatch.setattr(copy_reader, "BLOCK_BYTES", 3000)
    monkeypatch.setattr(heartbeats, "slots", lambda *_: 4)
    settings.EXPORT_PARALLEL_ROWS = 0
    # An earlier test may have refused parts.
    cache.clear()


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
    folder = export.files.all()[0].storage_key.rpartition("/")[0]
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
    return content


@pytest.mark.parametrize(
    ("name", "compression"),
    [
        *product(["csv", "json"], ["none", "gzip"]),
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

        patch.setattr(coordination, "groups_to_join", watched)
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
        ("complete_multipart_upload", "InvalidPart"),
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
    assert not file_storage.receives_parts
    assert export.status == Status.COMPLETED
    assert len(export.claims) == 1
    assert "partitions" not in manifest_of(export)["files"][0]
    assert content_of(export) == expected_of(export)
    assert "Uploads" not in bucket.list_multipart_uploads(Bucket=BUCKET)


@pytest.mark.parametrize(
    "body",
    [
        {"format": "xlsx"},
        {"format": "parquet"},
        {"compression": "zstd"},
        # Too few files, too many rows in one, and rows that depend on the related records.
        {"max_rows_per_file": 3000},
        {"max_rows_per_file": 500_000},
        {"max_rows_per_file": 1000, "csv_field_options": {"properties": "repeat"}},
        {"csv_field_options": {"properties": "flatten"}},
        {"options": {"order_by": "name,email", "limit": 2345}},
    ],
)
def test_other_files_are_written_by_one_worker(
    large: Organization,
    bucket: S3Client,
    helper: None,
    monkeypatch: pytest.MonkeyPatch,
    body: dict[str, Any],
) -> None:
    def refuse_to_read(*_: object) -> bool:
        raise AssertionError("Several workers write the file.")

    monkeypatch.setattr(coordination.Coordinator, "read_all", refuse_to_read)
    export = run(an_export(large, body))
    assert export.status == Status.COMPLETED


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

    monkeypatch.setattr(coordination, "read_next", read_remotely)
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

    class LostSnapshot(partition_reader.PartitionReader):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            spec, organization, slices, snapshot = arguments
            if not threading.current_thread().name.startswith("distribution"):
                failed.append(slices)
                snapshot = "00000000-00000000-1"
            super().__init__(spec, organization, slices, snapshot, **options)

    monkeypatch.setattr(partitions, "PartitionReader", LostSnapshot)
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
        fingerprint=partition_reader.fingerprint(export.parsed_spec(), large.pk),
        slices=[],
        expected_bytes=1,
        snapshot="",
        upload="",
    )
    old = partitions.claim_next(export, True)
    assert old
    assert partitions.claim_next(export, True) is None
    ExportPartition.objects.update(status=PartitionStatus.PENDING, token="")
    new = partitions.claim_next(export, True)
    assert new
    assert (old.pk, old.tries, new.tries) == (partition.pk, 1, 2)
    assert not partitions._held(export, old).update(status=PartitionStatus.DONE)
    assert not partitions._report(partitions._held(export, old), 1, 1)
    assert partitions._report(partitions._held(export, new), 1, 1)
    # The attempt ends.
    Export.objects.update(claims=["claim_x", "claim_y"])
    assert not partitions._report(partitions._held(export, new), 1, 1)


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


FILES: dict[str, dict[str, Any]] = {
    "csv": {"compression": "gzip", "csv_field_options": {"bom": True}},
    "json": {"format": "json", "compression": "zstd", "includes": ["groups"]},
    "parquet": {"format": "parquet"},
    "xlsx": {"format": "xlsx"},
    "limited": {"options": {"order_by": "email", "limit": 2345}},
}


def rows_of(content: bytes, body: dict[str, Any]) -> Any:
    """Return the rows of a file, read by an independent reader, or its bytes."""
    match body.get("format"):
        case "parquet":
            return pq.read_table(io.BytesIO(content)).to_pylist()
        case "xlsx":
            sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
            return sheet.to_python()
    match body.get("compression"):
        case "gzip":
            return gzip.decompress(content)
        case "zstd":
            return zstandard.ZstdDecompressor().decompressobj().decompress(content)
    return content


@pytest.mark.parametrize("name", FILES)
def test_each_worker_writes_whole_files(
    large: Organization, bucket: S3Client, helper: None, name: str
) -> None:
    body = {"options": {"order_by": "email"}} | FILES[name] | {"max_rows_per_file": 700}
    seen: set[bool] = set()
    with pytest.MonkeyPatch.context() as patch:
        claim = partitions.claim_next

        def watched(export: Export, is_remote: bool) -> ExportPartition | None:
            partition = claim(export, is_remote)
            if partition:
                seen.add(is_remote)
            return partition

        patch.setattr(partitions, "claim_next", watched)
        export = run(an_export(large, body))
    assert (export.status, len(export.claims)) == (Status.COMPLETED, 1)
    assert seen == {True, False}
    expected = [b"".join(file) for file in ExportStream(export.parsed_spec(), large.pk).files()]
    files = list(export.files.all())
    assert len(files) == len(expected)
    for number, (file, content) in enumerate(zip(files, expected, strict=True), 1):
        assert f"-{number:03}." in file.name
        with file_storage.open(file.storage_key) as stored:
            found = stored.read()
        assert rows_of(found, body) == rows_of(content, body)
        assert (file.bytes, file.sha256) == (len(found), hashlib.sha256(found).hexdigest())
    assert {file.rows for file in files[:-1]} == {700}
    assert sum(file.rows for file in files) == export.records_count
    assert manifest_of(export)["rows"] == export.records_count
    assert not ExportPartition.objects.exists()


def test_workers_of_another_version_read_nothing(
    large: Organization, bucket: S3Client, helper: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fingerprint = partition_reader.fingerprint
    refused = threading.Event()

    def of_version(*arguments: Any) -> str:
        if threading.current_thread().name.startswith("distribution"):
            # The other worker has a chance first.
            refused.wait(10)
            return fingerprint(*arguments)
        refused.set()
        return "another"

    monkeypatch.setattr(partitions, "fingerprint", of_version)
    readers: set[str] = set()
    write = partitions.write_partition

    def watched(export: Export, partition: ExportPartition) -> bool:
        readers.add(threading.current_thread().name.partition("_")[0])
        return write(export, partition)

    monkeypatch.setattr(partitions, "write_partition", watched)
    export = run(an_export(large, {}))
    assert refused.is_set()
    assert readers == {"distribution"}
    assert (export.status, content_of(export)) == (Status.COMPLETED, expected_of(export))


@pytest.mark.parametrize("body", [{}, {"max_rows_per_file": 700}])
def test_a_partition_that_was_not_planned_is_detected(
    large: Organization,
    bucket: S3Client,
    helper: None,
    monkeypatch: pytest.MonkeyPatch,
    body: dict[str, Any],
) -> None:
    for planner in (planning.PartPlanner, planning.FilePlanner):
        take = planner.take

        def lose_the_first(
            self: planning.Planner, ratio: float, take: Any = take
        ) -> list[partitioning.Slice] | None:
            if not hasattr(self, "lost"):
                self.lost = take(self, ratio)  # type: ignore[attr-defined]
            return take(self, ratio)  # type: ignore[no-any-return]

        monkeypatch.setattr(planner, "take", lose_the_first)
    export = run(an_export(large, body))
    # It is attempted again.
    assert export.status == Status.QUEUED
    assert not ExportPartition.objects.exists()
    assert "Uploads" not in bucket.list_multipart_uploads(Bucket=BUCKET)
    assert "Contents" not in bucket.list_objects_v2(Bucket=BUCKET)


def test_an_outage_of_the_database_of_partitions_loses_none(
    large: Organization, bucket: S3Client, helper: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Statements of the coordinator fail, one of them after it has stored a partition."""
    store, poll = ExportPartition.objects.get_or_create, partitions.of_attempt
    stored, polled = count(1), count(1)

    def lost_response(**values: Any) -> Any:
        found = store(**values)
        if next(stored) in (2, 5):
            raise OperationalError("server closed the connection unexpectedly")
        return found

    def unavailable(export: Export) -> Any:
        if next(polled) in (3, 4, 6):
            raise OperationalError("the database system is starting up")
        return poll(export)

    monkeypatch.setattr(ExportPartition.objects, "get_or_create", lost_response)
    monkeypatch.setattr(coordination, "of_attempt", unavailable)
    export = run(an_export(large, {}))
    assert next(stored) > 5
    assert next(polled) > 6
    assert (export.status, len(export.claims)) == (Status.COMPLETED, 1)
    assert content_of(export) == expected_of(export)


def test_an_outage_between_two_statements_of_the_own_reader_loses_none(
    large: Organization, bucket: S3Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends the connection of the thread that reads, after its claim."""
    monkeypatch.setattr(partitions, "MAX_SILENCE", timedelta(seconds=1))
    monkeypatch.setattr(coordination, "MAX_SILENCE", timedelta(seconds=1))
    claim, claims = partitions.claim_next, count(1)

    def lose(export: Export, is_remote: bool) -> ExportPartition | None:
        partition = claim(export, is_remote)
        if next(claims) == 2:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                [pid] = cursor.fetchone()
            parameters = connection.get_connection_params()
            with connection.get_new_connection(parameters) as other:
                other.execute("SELECT pg_terminate_backend(%s, 60000)", [pid])
        return partition

    monkeypatch.setattr(partitions, "claim_next", lose)
    export = run(an_export(large, {}))
    assert next(claims) > 3
    assert (export.status, len(export.claims)) == (Status.COMPLETED, 1)
    assert content_of(export) == expected_of(export)


def test_more_files_than_allowed_fail_the_export(
    large: Organization, bucket: S3Client, helper: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_FILES", 5)
    # PostgreSQL estimates fewer rows than there are.
    estimate = partitioning.plan_slices

    def low(*arguments: Any) -> Any:
        plan = estimate(*arguments)
        return plan and replace(plan, bytes=plan.row_bytes * 2000)

    monkeypatch.setattr(stream, "plan_slices", low)
    monkeypatch.setattr(distribution, "PART_BYTES", 1)
    export = run(an_export(large, {"max_rows_per_file": 500}))
    assert export.status == Status.FAILED
    assert export.error is not None
    assert "more than" in export.error["message"]
    assert not ExportPartition.objects.exists()
    assert "Contents" not in bucket.list_objects_v2(Bucket=BUCKET)


def test_the_file_of_a_lost_claim_is_deleted(
    large: Organization, bucket: S3Client, helper: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first claim is given to another worker while it writes its file."""
    claim = partitions.claim_next
    lost: list[int] = []

    def lose_first(export: Export, is_remote: bool) -> ExportPartition | None:
        partition = claim(export, is_remote)
        if partition and not lost:
            lost.append(partition.pk)
            ExportPartition.objects.filter(pk=partition.pk).update(
                status=PartitionStatus.PENDING, token=""
            )
        return partition

    monkeypatch.setattr(partitions, "claim_next", lose_first)
    export = run(an_export(large, {"max_rows_per_file": 700}))
    assert lost
    assert export.status == Status.COMPLETED
    kept = {file.storage_key for file in export.files.all()}
    folder = next(iter(kept)).rpartition("/")[0]

    def is_clear() -> bool:
        objects = bucket.list_objects_v2(Bucket=BUCKET)["Contents"]
        return {each["Key"] for each in objects} == kept | {f"{folder}/manifest.json"}

    wait_for(is_clear)


def test_an_upload_that_could_not_be_aborted_is_aborted_later(
    large: Organization, bucket: S3Client, helper: None, settings: Settings
) -> None:
    settings.EXPORT_MAX_RECORDS = 1000
    export = an_export(large, {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BucketStorage, "abort_parts", lambda *_: False)
        run(export)
    assert export.status == Status.FAILED
    assert "Uploads" in bucket.list_multipart_uploads(Bucket=BUCKET)
    assert set(ExportPartition.objects.values_list("status", flat=True)) == {PartitionStatus.FAILED}
    assert maintenance.expire_one(export_lifecycle, export)
    assert "Uploads" not in bucket.list_multipart_uploads(Bucket=BUCKET)
    assert not ExportPartition.objects.exists()
