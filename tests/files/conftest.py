"""Storages of the tests of files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from exports_project.object_storage import s3
from longshore.files.storage.base import FileStorage
from longshore.files.storage.local import LocalStorage
from longshore.files.storage.s3 import BucketStorage
from tests.files.buckets import BUCKET, s3_server

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def local(tmp_path: Path) -> LocalStorage:
    return LocalStorage(location=str(tmp_path / "files"))


@pytest.fixture
def server() -> Iterator[tuple[S3Client, str]]:
    with s3_server() as started:
        yield started


@pytest.fixture
def client(server: tuple[S3Client, str]) -> S3Client:
    return server[0]


@pytest.fixture
def bucket(server: tuple[S3Client, str]) -> BucketStorage:
    return BucketStorage(**s3(BUCKET, server[1], "us-east-1")["OPTIONS"])


@pytest.fixture
def bucket_folder(server: tuple[S3Client, str]) -> BucketStorage:
    """A folder inside the bucket, as the option `location` sets it."""
    options = s3(BUCKET, server[1], "us-east-1")["OPTIONS"]
    return BucketStorage(**options, location="inside/here")


@pytest.fixture(params=["local", "bucket", "bucket_folder"])
def storage(request: pytest.FixtureRequest) -> FileStorage:
    chosen: FileStorage = request.getfixturevalue(request.param)
    return chosen
