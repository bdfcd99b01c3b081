"""Storage in an S3 bucket, on a real S3 server: links, deletions in bulk, aborted uploads."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from email.message import Message
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from botocore.exceptions import ClientError
from django.core.files.base import ContentFile

from longshore.files.block_file import BlockFile
from longshore.files.storage.base import LinkTarget
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
