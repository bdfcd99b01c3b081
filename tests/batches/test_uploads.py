"""Upload links: of Longshore for a local folder, of the bucket for S3."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from batches.lifecycle import uploads
from batches.lifecycle.transitions import batch_lifecycle
from batches.models import Batch, BatchLimits
from exports_project.object_storage import s3
from longshore.accounts.models import Organization
from longshore.files.storage import file_storage
from longshore.files.storage.s3 import BucketStorage
from longshore.jobs import maintenance
from longshore.jobs.leases import lease
from tests.batches.running import CSV, code_of, run
from tests.conftest import KeyClient
from tests.exports.conftest import storage, stored_files
from tests.files.buckets import BUCKET, s3_server

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["storage"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]


@pytest.fixture
def bucket(settings: Settings, storage: None) -> Iterator[S3Client]:
    """An empty bucket as the storage of the test."""
    with s3_server() as (client, endpoint):
        settings.STORAGES = settings.STORAGES | {"longshore": s3(BUCKET, endpoint, "us-east-1")}
        yield client


def requested(client: KeyClient, **request: Any) -> tuple[Batch, dict[str, Any]]:
    """Return a requested batch, and its upload link."""
    response = client.post("/v1/batches", {"resource": "contact", "upload": True, **request})
    assert response.status_code == 201, response.content
    shown = response.json()
    assert shown["status"] == "requested"
    return Batch.objects.get(public_id=shown["id"]), shown["upload"]


def put(upload: dict[str, Any], content: bytes) -> Any:
    return APIClient().generic(
        upload["method"],
        upload["url"],
        cast("str", content),
        content_type="application/octet-stream",
    )


def test_an_uploaded_file_queues_the_batch(alice: KeyClient) -> None:
    batch, upload = requested(alice)
    assert (upload["method"], upload["headers"]) == ("PUT", {})
    assert put(upload, CSV.encode()).status_code == 204
    batch.refresh_from_db()
    assert (batch.status, batch.input_bytes, batch.stored_bytes) == (
        "queued",
        len(CSV.encode()),
        len(CSV.encode()),
    )
    assert batch.input_key is not None
    assert file_storage.open(batch.input_key).read() == CSV.encode()
    assert batch.expires_at > timezone.now() + timedelta(days=6)
    shown = alice.get(f"/v1/batches/{batch.public_id}").json()
    assert shown["upload"] is None
    assert shown["input"]["sha256"] == batch.input_sha256
    assert run(batch).status == "completed"


def test_a_link_accepts_one_file(alice: KeyClient) -> None:
    _, upload = requested(alice)
    assert put(upload, CSV.encode()).status_code == 204
    refused = put(upload, b"name\nOther\n")
    assert (refused.status_code, refused.json()["error"]) == (410, "upload_expired")
    assert len(stored_files()) == 1


def test_one_upload_of_a_batch_is_stored_at_a_time(alice: KeyClient) -> None:
    batch, upload = requested(alice)
    with lease(f"batches.upload.{batch.public_id}", 60):
        refused = put(upload, CSV.encode())
    assert (refused.status_code, refused.json()["error"]) == (409, "invalid_status")
    assert put(upload, CSV.encode()).status_code == 204


def test_a_forged_link_is_not_found(alice: KeyClient) -> None:
    batch, upload = requested(alice)
    forged = upload | {"url": upload["url"].replace("upload%3A", "upload%3Ax")}
    assert put(forged, CSV.encode()).status_code == 404
    batch.refresh_from_db()
    assert batch.status == "requested"
    # A link for downloads is no link for uploads, and the other way round.
    signature = upload["url"].partition("?")[2]
    assert APIClient().get(f"/v1/batches/files/upload?{signature}").status_code == 404


def test_a_batch_without_a_file_expires(alice: KeyClient) -> None:
    batch, upload = requested(alice)
    assert batch.expires_at < timezone.now() + timedelta(seconds=3600)
    Batch.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    refused = put(upload, CSV.encode())
    assert (refused.status_code, refused.json()["error"]) == (410, "upload_expired")
    maintenance.expire(batch_lifecycle)
    batch.refresh_from_db()
    assert batch.status == "expired"
    assert batch.reason == "No file was uploaded within 3,600 s."


def test_a_file_that_is_too_large_fails_the_batch(alice: KeyClient, acme: Organization) -> None:
    batch, upload = requested(alice)
    BatchLimits.objects.create(organization=acme, bytes=20)
    refused = put(upload, CSV.encode())
    assert (refused.status_code, refused.json()["error"]) == (422, "file_too_large")
    batch.refresh_from_db()
    assert (batch.status, code_of(batch)) == ("failed", "file_too_large")
    assert stored_files() == []


def test_a_canceled_batch_accepts_no_file(alice: KeyClient) -> None:
    batch, upload = requested(alice)
    assert alice.post(f"/v1/batches/{batch.public_id}/cancel").json()["status"] == "canceled"
    assert put(upload, CSV.encode()).status_code == 410


def test_a_batch_whose_validation_died_is_queued(alice: KeyClient) -> None:
    batch, upload = requested(alice)
    put(upload, CSV.encode())
    # As if the process had died between the creation and the validation.
    Batch.objects.update(status="requested")
    uploads.check_all()
    batch.refresh_from_db()
    assert batch.status == "requested"
    Batch.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    uploads.check_all()
    batch.refresh_from_db()
    assert batch.status == "queued"


@pytest.mark.parametrize("noticed_by", ["task", "retrieve"])
def test_a_file_in_the_bucket_queues_the_batch(
    alice: KeyClient, bucket: S3Client, noticed_by: str
) -> None:
    batch, upload = requested(alice)
    uploads.check_all()
    batch.refresh_from_db()
    assert batch.status == "requested"
    sent = httpx.put(upload["url"], content=CSV.encode(), headers=upload["headers"])
    assert sent.status_code == 200
    if noticed_by == "task":
        uploads.check_all()
    else:
        assert alice.get(f"/v1/batches/{batch.public_id}").json()["status"] == "queued"
    batch.refresh_from_db()
    assert (batch.status, batch.input_bytes) == ("queued", len(CSV.encode()))
    batch = run(batch)
    assert (batch.status, batch.created_count) == ("completed", 2)
    assert len(batch.input_sha256) == 64


def test_a_bucket_that_fails_ends_the_search_for_uploads(
    alice: KeyClient, acme: Organization, bucket: S3Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "MAX_FAILURES", 2)
    BatchLimits.objects.create(organization=acme, unfinished=10)
    batches = [requested(alice)[0] for _ in range(5)]
    keys: list[str] = []

    def fail(self: object, key: str) -> bool:
        keys.append(key)
        raise OSError("The bucket does not respond.")

    monkeypatch.setattr(BucketStorage, "exists", fail, raising=False)
    uploads.check_all()
    assert keys == [each.input_key for each in batches[:2]]
    # The next run goes on with the other batches.
    uploads.check_all()
    assert keys == [each.input_key for each in batches[:4]]


def test_a_file_in_the_bucket_is_not_replaced(alice: KeyClient, bucket: S3Client) -> None:
    _, upload = requested(alice)
    assert httpx.put(upload["url"], content=b"name\nA\n", headers=upload["headers"]).is_success
    second = httpx.put(upload["url"], content=b"name\nB\n", headers=upload["headers"])
    assert second.status_code == 412
    # The server of the test checks no signatures; S3 refuses a request without a signed header.
    signed = parse_qs(urlsplit(upload["url"]).query)["X-Amz-SignedHeaders"]
    assert signed == ["host;if-none-match"]


def test_a_file_in_the_bucket_that_is_too_large_fails_the_batch(
    alice: KeyClient, acme: Organization, bucket: S3Client
) -> None:
    batch, upload = requested(alice)
    BatchLimits.objects.create(organization=acme, bytes=20)
    httpx.put(upload["url"], content=CSV.encode(), headers=upload["headers"])
    uploads.check_all()
    batch.refresh_from_db()
    assert (batch.status, code_of(batch)) == ("failed", "file_too_large")
    assert bucket.list_objects_v2(Bucket=BUCKET).get("Contents", []) == []
