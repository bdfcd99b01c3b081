"""Both clients against a bucket: its links lead to an S3 server, past Longshore."""

import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.clients.proxy import Proxy, cut, lose_response, proxying
from tests.clients.stack import CONTACTS, ClientUnderTest, Stack, running, sha256
from tests.files.buckets import BUCKET, s3_server

pytestmark = pytest.mark.stack
FILES = f"/{BUCKET}/exports/.*"
UPLOADS = f"/{BUCKET}/batches/.*"


@pytest.fixture(scope="module")
def buckets() -> Iterator[Proxy]:
    """A proxy in front of an S3 server."""
    with s3_server() as (_, endpoint):
        port = urlsplit(endpoint).port
        assert port
        with proxying(port) as proxy:
            yield proxy


@pytest.fixture(scope="module")
def stack(buckets: Proxy) -> Iterator[Stack]:
    """All programs, which store files in a bucket."""
    with running(
        AWS_STORAGE_BUCKET_NAME=BUCKET,
        AWS_S3_ENDPOINT_URL=buckets.url,
        AWS_S3_REGION_NAME="us-east-1",
        **dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "test"),
    ) as stack:
        yield stack


@pytest.fixture
def bucket(buckets: Proxy) -> Proxy:
    """The proxy, without requests and faults of other tests."""
    buckets.clear()
    return buckets


def test_a_download_from_a_bucket_continues_after_a_lost_connection(
    client: ClientUnderTest, bucket: Proxy, tmp_path: Path
) -> None:
    found = client("export", request=CONTACTS, target=str(tmp_path / "out.csv"))
    [file] = found["data"]["files"]
    assert sha256(tmp_path / "out.csv") == file["sha256"]
    # The bucket gets no API key of Longshore.
    links = [each for each in bucket.sent("GET", FILES) if "response-content-type" in each.path]
    assert ["authorization" in each.headers for each in links] == [False]

    (tmp_path / "out.csv").unlink()
    bucket.clear()
    bucket.inject("GET", FILES, cut(500_000))
    client("download", id=found["data"]["id"], target=str(tmp_path / "out.csv"))
    assert [each.status for each in bucket.sent("GET", FILES)] == [200, 206]
    assert sha256(tmp_path / "out.csv") == file["sha256"]
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_several_files_of_a_bucket_become_a_folder_or_an_archive(
    client: ClientUnderTest, tmp_path: Path
) -> None:
    request = CONTACTS | {"max_rows_per_file": 1000, "format": "jsonl"}
    found = client("export", request=request, target=str(tmp_path / "contacts"))
    sums = {file["name"]: file["sha256"] for file in found["data"]["files"]}
    assert len(sums) > 1
    assert {path.name: sha256(path) for path in (tmp_path / "contacts").iterdir()} == sums
    target = tmp_path / "contacts.zip"
    client("download", id=found["data"]["id"], target=str(target))
    with zipfile.ZipFile(target) as archive:
        read = {name: archive.read(name) for name in archive.namelist()}
    assert {name: hashlib.sha256(text).hexdigest() for name, text in read.items()} == sums


def test_a_file_is_sent_to_a_bucket_once(
    client: ClientUnderTest, bucket: Proxy, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text(f"E-mail,status\n{tmp_path.name}@example.org,prospect\nb@example.org,asleep\n")
    bucket.inject("PUT", UPLOADS, lose_response)
    fields = {"file": str(file), "upload": True, "mapping": {"E-mail": "email"}}
    found = client("batch", resource="customer", **fields)
    assert found["data"]["input"]["bytes"] == file.stat().st_size
    assert found["data"]["stats"]["created"] == 1
    assert [error["row"] for error in found["errors"]] == [2]
    client("undo", id=found["data"]["id"])
