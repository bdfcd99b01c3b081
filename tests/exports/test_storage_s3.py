"""Files and links in an S3 bucket, on a real S3 server of this machine."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import boto3
import httpx
import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from moto.server import ThreadedMotoServer
from psycopg.errors import QueryCanceled
from pytest_django import Settings
from storages.backends.s3 import S3Storage  # type: ignore[import-untyped]

from exports.execution import runner
from exports.formats.base import Block
from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export, Status
from exports.reading import stream
from exports.reading.stream import ExportStream
from exports_project.object_storage import s3
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact
from longshore.jobs import maintenance
from tests.conftest import KeyClient
from tests.exports.conftest import HARMS, wait_for
from tests.records import copies

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bucket(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Client]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    httpx.post(f"{endpoint}/moto-api/reset")  # Every server of a process shares its buckets.
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    client.create_bucket(Bucket="files")
    settings.STORAGES = settings.STORAGES | {"default": s3("files", endpoint, "us-east-1")}
    yield client
    server.stop()


def completed(queued: Export, **spec: object) -> Export:
    Export.objects.update(spec=queued.spec | spec)
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.COMPLETED
    return queued


def test_the_link_gives_the_file_under_its_name(
    alice: KeyClient, queued: Export, bucket: S3Client
) -> None:
    export = completed(queued)
    link = alice.get(f"/v1/exports/{export.public_id}/download").json()["url"]
    assert parse_qs(urlsplit(link).query)["X-Amz-Expires"] == ["300"]
    response = httpx.get(link)
    file = export.files.get()
    assert response.status_code == 200
    assert len(response.content) == file.bytes
    assert len(response.text.splitlines()) == 6
    assert response.headers["content-type"].startswith("text/csv")
    assert f'filename="{file.name}"' in response.headers["content-disposition"]


def test_a_gzip_file_is_not_unpacked_on_its_way(
    alice: KeyClient, queued: Export, bucket: S3Client
) -> None:
    export = completed(queued, compression="gzip")
    link = alice.get(f"/v1/exports/{export.public_id}").json()["download_url"]
    response = httpx.get(link)
    assert "content-encoding" not in response.headers
    assert len(gzip.decompress(response.content).splitlines()) == 6


def test_a_file_of_many_parts_arrives_whole(
    queued: Export, acme: Organization, bucket: S3Client
) -> None:
    text = "".join(chr(33 + n * 7 % 90) for n in range(10_000))
    copies(Contact.objects.create(organization=acme, name=text), 3_999, name="n || ' ' || name")
    export = completed(queued)
    file = export.files.get()
    assert file.bytes > 40_000_000
    assert default_storage.size(file.storage_key) == file.bytes
    head = bucket.head_object(Bucket="files", Key=file.storage_key, PartNumber=1)
    assert head["PartsCount"] > 1
    content = b"".join(ExportStream(export.parsed_spec(), export.organization_id))
    assert hashlib.sha256(content).hexdigest() == file.sha256


@pytest.mark.parametrize("stretch", [1, 1 << 20])
@pytest.mark.parametrize("harm", HARMS)
def test_bytes_that_the_bucket_lost_or_changed_are_no_success(
    queued: Export,
    bucket: S3Client,
    monkeypatch: pytest.MonkeyPatch,
    harm: Callable[[bytes], bytes],
    stretch: int,
) -> None:
    save = S3Storage._save
    monkeypatch.setattr(stream, "_STRETCH_BYTES", stretch)

    def harmed(storage: S3Storage, name: str, content: Any) -> str:
        saved: str = save(storage, name, content)
        given = bucket.get_object(Bucket="files", Key=saved)["Body"].read()
        bucket.put_object(Bucket="files", Key=saved, Body=harm(given))
        return saved

    monkeypatch.setattr(S3Storage, "_save", harmed)
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert (queued.status, len(queued.claims)) == (Status.QUEUED, 1)
    assert "Contents" not in bucket.list_objects_v2(Bucket="files")


def test_an_expired_file_leaves_the_bucket(queued: Export, bucket: S3Client) -> None:
    export = completed(queued)
    Export.objects.update(expires_at=timezone.now())
    maintenance.expire(export_lifecycle)
    assert not default_storage.exists(export.files.get().storage_key)


def test_files_of_a_deleted_organization_leave_the_bucket(
    queued: Export, acme: Organization, bucket: S3Client
) -> None:
    completed(queued)
    folder = f"exports/{acme.pk}/exp_another/claim"
    for number in range(1_500):
        bucket.put_object(Bucket="files", Key=f"{folder}/{number:06}", Body=b"x")
    kept = f"exports/{acme.pk}x/kept"
    bucket.put_object(Bucket="files", Key=kept, Body=b"x")
    acme.delete()
    requests: list[str] = []
    client = default_storage.bucket.meta.client  # type: ignore[attr-defined]
    client.meta.events.register("before-call", lambda model, **_: requests.append(model.name))
    maintenance.discard(export_lifecycle)
    assert requests == ["ListObjects", "DeleteObjects"] * 2
    left = bucket.list_objects_v2(Bucket="files")["Contents"]
    assert [each["Key"] for each in left] == [kept]


def test_an_object_that_the_bucket_keeps_is_a_failure(
    queued: Export, bucket: S3Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = completed(queued)
    Export.objects.update(expires_at=timezone.now())
    client = default_storage.bucket.meta.client  # type: ignore[attr-defined]

    def refuse(parsed: dict[str, Any], **_: Any) -> None:
        parsed["Errors"] = [{"Key": "x", "Code": "AccessDenied", "Message": "Access Denied"}]

    client.meta.events.register("after-call.s3.DeleteObjects", refuse)
    maintenance.expire(export_lifecycle)
    export.refresh_from_db()
    assert export.status == Status.COMPLETED
    client.meta.events.unregister("after-call.s3.DeleteObjects", refuse)
    maintenance.expire(export_lifecycle)
    export.refresh_from_db()
    assert export.status == Status.EXPIRED


def test_a_bucket_that_is_gone_is_tried_again(queued: Export, bucket: S3Client) -> None:
    bucket.delete_bucket(Bucket="files")
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.QUEUED
    bucket.create_bucket(Bucket="files")
    Export.objects.update(not_before=None)
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.COMPLETED


def test_what_was_canceled_leaves_no_parts_in_the_bucket(
    queued: Export, acme: Organization, bucket: S3Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies(Contact.objects.create(organization=acme, notes="x" * 10_000), 3_999)
    columns = [{"path": name, "header": name} for name in ("id", "notes")]
    Export.objects.update(spec=queued.spec | {"columns": columns})
    uploads: list[int] = []
    report = export_lifecycle.report

    def canceled(export: Export, rows: int) -> None:
        if begun := bucket.list_multipart_uploads(Bucket="files").get("Uploads"):
            uploads.append(len(begun))
            export_lifecycle.cancel(export)
        report(export, rows)

    read = ExportStream._read

    def unending(*args: Any) -> Iterator[Block]:
        yield from read(*args)
        wait_for(lambda: bool(uploads))
        raise QueryCanceled

    monkeypatch.setattr(ExportStream, "_read", unending)
    monkeypatch.setattr(export_lifecycle, "report", canceled)
    monkeypatch.setattr(runner, "_REPORT_SECONDS", 0.3)
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.CANCELED
    assert uploads == [1]
    assert "Uploads" not in bucket.list_multipart_uploads(Bucket="files")
    assert "Contents" not in bucket.list_objects_v2(Bucket="files")
