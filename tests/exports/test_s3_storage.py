"""Exports with files in an S3 bucket of a real, local S3 server."""

from __future__ import annotations

import gzip
import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.utils import timezone
from pytest_django import Settings

from exports.execution import runner
from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export, Status
from exports.reading.stream import ExportStream
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact
from longshore.files.storage import file_storage
from longshore.jobs import maintenance
from tests.conftest import KeyClient
from tests.files.buckets import BUCKET
from tests.files.faults import DAMAGES, Damage
from tests.records import copies

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.django_db(transaction=True)


def completed(queued: Export, **spec: object) -> Export:
    Export.objects.update(spec=queued.spec | spec)
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.COMPLETED
    return queued


def test_the_link_downloads_the_file_under_its_name(
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


def test_a_gzip_file_is_downloaded_compressed(
    alice: KeyClient, queued: Export, bucket: S3Client
) -> None:
    export = completed(queued, compression="gzip")
    link = alice.get(f"/v1/exports/{export.public_id}").json()["download_url"]
    response = httpx.get(link)
    assert "content-encoding" not in response.headers
    assert len(gzip.decompress(response.content).splitlines()) == 6


def test_a_file_of_several_parts_is_stored_whole(
    queued: Export, acme: Organization, bucket: S3Client
) -> None:
    text = "".join(chr(33 + n * 7 % 90) for n in range(10_000))
    copies(Contact.objects.create(organization=acme, name=text), 3_999, name="n || ' ' || name")
    export = completed(queued)
    file = export.files.get()
    assert file.bytes > 40_000_000
    assert file_storage.size(file.storage_key) == file.bytes
    head = bucket.head_object(Bucket=BUCKET, Key=file.storage_key, PartNumber=1)
    assert head["PartsCount"] > 1
    content = b"".join(ExportStream(export.parsed_spec(), export.organization_id))
    assert hashlib.sha256(content).hexdigest() == file.sha256


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_an_export_whose_bytes_the_bucket_damaged_is_not_completed(
    queued: Export, bucket: S3Client, settings: Settings, damage: Damage
) -> None:
    options = settings.STORAGES["longshore"]["OPTIONS"] | {"damage": damage}
    default = {"BACKEND": "tests.files.faults.DamagingBucket", "OPTIONS": options}
    settings.STORAGES = settings.STORAGES | {"longshore": default}
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert (queued.status, len(queued.claims)) == (Status.QUEUED, 1)
    assert "Contents" not in bucket.list_objects_v2(Bucket=BUCKET)


def test_an_expired_file_leaves_the_bucket(queued: Export, bucket: S3Client) -> None:
    export = completed(queued)
    Export.objects.update(expires_at=timezone.now())
    maintenance.expire(export_lifecycle)
    assert not file_storage.exists(export.files.get().storage_key)


def test_files_of_a_deleted_organization_leave_the_bucket(
    queued: Export, acme: Organization, bucket: S3Client
) -> None:
    completed(queued)
    folder = f"exports/{acme.pk}/exp_another/claim"
    bucket.put_object(Bucket=BUCKET, Key=f"{folder}/000001", Body=b"x")
    kept = f"exports/{acme.pk}x/kept"
    bucket.put_object(Bucket=BUCKET, Key=kept, Body=b"x")
    acme.delete()
    maintenance.discard(export_lifecycle)
    remaining = bucket.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert [each["Key"] for each in remaining] == [kept]


def test_an_export_expires_only_when_the_bucket_has_deleted_its_files(
    queued: Export, bucket: S3Client
) -> None:
    export = completed(queued)
    Export.objects.update(expires_at=timezone.now())
    client = file_storage.bucket.meta.client  # type: ignore[attr-defined]

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


def test_an_export_is_retried_while_the_bucket_is_missing(queued: Export, bucket: S3Client) -> None:
    bucket.delete_bucket(Bucket=BUCKET)
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.QUEUED
    bucket.create_bucket(Bucket=BUCKET)
    Export.objects.update(not_before=None)
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.COMPLETED
