"""Storage in an S3 bucket, on a real S3 server: links, deletions in bulk, aborted uploads."""

from __future__ import annotations

import base64
import io
import logging
import re
import time
import zlib
from collections.abc import Iterator
from datetime import timedelta
from email.message import Message
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from botocore.exceptions import ClientError
from django.core.files.base import ContentFile

from longshore.cache import cache
from longshore.files.block_file import BlockFile
from longshore.files.storage.base import MIN_PART_BYTES, LinkTarget, PartsNotSupported
from longshore.files.storage.s3 import BucketStorage
from tests.files.buckets import BUCKET

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.mark.parametrize(
    "name",
    ["contacts.csv", 'the "best".csv', "Übergrößen.csv", "出荷 1.csv", "a%20b;c", "a\\b"],
)
@pytest.mark.slow
def test_a_link_downloads_the_file_under_its_name(bucket: BucketStorage, name: str) -> None:
    bucket.save("a/000001", BlockFile([b"id\n", b"1\n"], "application/gzip"))
    target = LinkTarget("a/000001", name, "text/csv", "https://unused.example/", "unused")
    link = bucket.link(target, 300)
    assert parse_qs(urlsplit(link).query)["X-Amz-Expires"] == ["300"]
    response = httpx.get(link)
    assert (response.status_code, response.content) == (200, b"id\n1\n")
    assert response.headers["content-type"].startswith("text/csv")
    message = Message()
    message["Content-Disposition"] = response.headers["content-disposition"]
    assert message.get_content_disposition() == "attachment"
    assert message.get_filename() == name


def test_the_content_type_is_stored_with_the_file(bucket: BucketStorage, client: S3Client) -> None:
    bucket.save("a", BlockFile([b"x"], "application/vnd.example"))
    head = client.head_object(Bucket=BUCKET, Key="a")
    assert head["ContentType"] == "application/vnd.example"
    assert "ContentEncoding" not in head


@pytest.mark.slow
def test_a_folder_is_deleted_with_two_requests_per_thousand_objects(
    bucket: BucketStorage, client: S3Client
) -> None:
    for number in range(1_001):
        client.put_object(Bucket=BUCKET, Key=f"a/{number:06}", Body=b"x")
    requests: list[str] = []
    events = bucket.connection.meta.client.meta.events
    events.register("before-call", lambda model, **_: requests.append(model.name))
    assert bucket.delete_folder("a")
    assert requests == ["ListObjects", "DeleteObjects"] * 2
    assert "Contents" not in client.list_objects_v2(Bucket=BUCKET)


def test_no_request_is_sent_after_the_deadline(bucket: BucketStorage) -> None:
    bucket.save("a/1", ContentFile(b"x"))
    requests: list[str] = []
    events = bucket.connection.meta.client.meta.events
    events.register("before-call", lambda model, **_: requests.append(model.name))
    assert not bucket.delete_folder("a", time.monotonic() - 1)
    assert requests == []


def test_an_object_that_the_bucket_refuses_to_delete_is_logged_and_reported(
    bucket: BucketStorage, caplog: pytest.LogCaptureFixture
) -> None:
    bucket.save("a/1", ContentFile(b"x"))
    caplog.set_level(logging.ERROR)

    def refuse(parsed: dict[str, Any], **_: Any) -> None:
        parsed["Errors"] = [{"Key": "a/1", "Code": "AccessDenied", "Message": "Access Denied"}]

    bucket.connection.meta.client.meta.events.register("after-call.s3.DeleteObjects", refuse)
    assert not bucket.delete_folder("a")
    assert "The file a/1 could not be deleted: Access Denied" in caplog.text


def test_a_folder_inside_the_bucket_holds_everything(
    bucket_folder: BucketStorage, bucket: BucketStorage, client: S3Client
) -> None:
    client.put_object(Bucket=BUCKET, Key="exports/org/exp/lost/1", Body=b"outside")
    bucket_folder.save("exports/org/exp/lost/1", ContentFile(b"inside"))
    path = "exports/org/exp/lost/1"
    assert b"".join(bucket_folder.read_range(path, 0, 6)) == b"inside"
    target = LinkTarget(path, "1.csv", "text/csv", "", "")
    assert httpx.get(bucket_folder.link(target, 300)).content == b"inside"
    orphans = bucket_folder.orphans("exports", lambda _: (), timedelta(seconds=-60))
    assert list(orphans) == [path]
    assert bucket_folder.delete_folder("exports")
    assert not bucket_folder.exists(path)
    assert bucket.exists(path)


def test_the_probe_fails_if_the_bucket_is_missing(bucket: BucketStorage, client: S3Client) -> None:
    client.delete_bucket(Bucket=BUCKET)
    with pytest.raises(ClientError, match=re.escape("Not Found")):
        bucket.probe()


@pytest.mark.slow
def test_a_failed_save_leaves_no_parts(bucket: BucketStorage, client: S3Client) -> None:
    uploads: list[Any] = []

    def blocks() -> Iterator[bytes]:
        for _ in range(5):
            yield bytes(16 << 20)
        deadline = time.monotonic() + 60
        while not uploads and time.monotonic() < deadline:
            uploads.extend(client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", ()))
            time.sleep(0.05)
        raise ValueError("the source failed")

    with pytest.raises(ValueError, match="the source failed"):
        bucket.save("a", BlockFile(blocks(), "text/csv"))
    assert len(uploads) == 1
    assert "Uploads" not in client.list_multipart_uploads(Bucket=BUCKET)
    assert not bucket.exists("a")


def test_an_upload_is_aborted_by_its_identifier(bucket: BucketStorage, client: S3Client) -> None:
    kept = bucket.start_parts("a/000001", "text/csv")
    upload = bucket.start_parts("a/000001", "text/csv")
    bucket.part_saver("a/000001", upload)(1, io.BytesIO(b"x"), zlib.crc32(b"x"))
    assert bucket.abort_parts("a/000001", upload)
    uploads = client.list_multipart_uploads(Bucket=BUCKET)["Uploads"]
    assert [each["UploadId"] for each in uploads] == [kept]
    # It does not exist any more.
    assert bucket.abort_parts("a/000001", upload)


def test_an_upload_that_cannot_be_aborted_is_logged(
    bucket: BucketStorage, caplog: pytest.LogCaptureFixture
) -> None:
    upload = bucket.start_parts("a/000001", "text/csv")

    def refuse(**_: Any) -> None:
        response = {"Error": {"Code": "503"}, "ResponseMetadata": {"HTTPStatusCode": 503}}
        raise ClientError(response, "AbortMultipartUpload")  # type: ignore[arg-type]

    own = bucket.connection.meta.client
    own.meta.events.register("before-call.s3.AbortMultipartUpload", refuse)
    assert not bucket.abort_parts("a/000001", upload)
    assert "could not be deleted" in caplog.text


@pytest.mark.parametrize("operation", ["CreateMultipartUpload", "UploadPart"])
def test_a_server_that_refuses_parts_is_not_asked_for_an_hour(
    bucket: BucketStorage, operation: str
) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "NotImplemented"}}, operation)

    cache.clear()
    own = bucket.connection.meta.client
    own.meta.events.register(f"before-call.s3.{operation}", refuse)
    assert bucket.receives_parts

    def save() -> None:
        upload = bucket.start_parts("a/000001", "text/csv")
        bucket.part_saver("a/000001", upload)(1, io.BytesIO(b"x"), zlib.crc32(b"x"))

    with pytest.raises(PartsNotSupported):
        save()
    assert not bucket.receives_parts
    cache.clear()


def test_an_upload_in_parts_has_the_options_of_the_bucket(bucket: BucketStorage) -> None:
    key = b"0" * 32
    bucket.default_acl = "private"
    bucket.object_parameters = {
        "StorageClass": "STANDARD_IA",
        "SSECustomerAlgorithm": "AES256",
        "SSECustomerKey": key,
    }
    sent: dict[str, dict[str, Any]] = {}
    events = bucket.connection.meta.client.meta.events
    events.register(
        "provide-client-params.s3",
        lambda params, model, **_: sent.setdefault(model.name, dict(params)),
    )
    content = b"x"
    upload = bucket.start_parts("a/000001", "text/csv")
    part = bucket.part_saver("a/000001", upload)(1, io.BytesIO(content), zlib.crc32(content))
    bucket.complete_parts("a/000001", upload, [part], zlib.crc32(content))
    created = sent["CreateMultipartUpload"]
    assert (created["ACL"], created["StorageClass"]) == ("private", "STANDARD_IA")
    assert created["ContentType"] == "text/csv"
    for name in ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"):
        assert base64.b64decode(sent[name]["SSECustomerKey"]) == key
    assert "ACL" not in sent["UploadPart"]


def test_parts_make_one_file_in_the_order_of_their_numbers(bucket: BucketStorage) -> None:
    first, second = b"a" * MIN_PART_BYTES, b"b"
    upload = bucket.start_parts("a/000001", "text/csv")
    save = bucket.part_saver("a/000001", upload)
    last = save(9, io.BytesIO(second), zlib.crc32(second))
    first_part = save(2, io.BytesIO(first), zlib.crc32(first))
    # The part of a worker that lost its claim is not listed.
    save(1, io.BytesIO(b"c"), zlib.crc32(b"c"))
    whole = first + second
    bucket.complete_parts("a/000001", upload, [last, first_part], zlib.crc32(whole))
    with bucket.open("a/000001") as file:
        assert file.read() == whole


def test_a_file_with_another_checksum_is_refused(bucket: BucketStorage) -> None:
    upload = bucket.start_parts("a/000001", "text/csv")
    part = bucket.part_saver("a/000001", upload)(1, io.BytesIO(b"x"), zlib.crc32(b"x"))

    checksum = "AAAAAA==-1"

    # As S3 does, but not the server of the tests.
    def answer(parsed: dict[str, Any], **_: Any) -> None:
        parsed["ChecksumCRC32"] = checksum

    client = bucket.connection.meta.client
    client.meta.events.register("after-call.s3.CompleteMultipartUpload", answer)
    # A checksum of the parts' checksums says nothing.
    bucket.complete_parts("a/000001", upload, [part], zlib.crc32(b"x"))
    upload = bucket.start_parts("a/000001", "text/csv")
    part = bucket.part_saver("a/000001", upload)(1, io.BytesIO(b"x"), zlib.crc32(b"x"))
    checksum = "AAAAAA=="
    with pytest.raises(OSError, match="other bytes"):
        bucket.complete_parts("a/000001", upload, [part], zlib.crc32(b"x"))
