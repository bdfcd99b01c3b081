"""Files in an S3 bucket, or a compatible one: django-storages with the interface `FileStorage`."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http import HTTPStatus
from typing import Any

from botocore.exceptions import ClientError
from django.utils.http import content_disposition_header
from storages.backends.s3 import S3Storage  # type: ignore[import-untyped]
from storages.utils import clean_name  # type: ignore[import-untyped]

from longshore.files.storage.base import FileStorage, LinkTarget, UploadLink, UploadTarget

logger = logging.getLogger(__name__)

_READ_BYTES = 1 << 20


class BucketStorage(FileStorage, S3Storage):  # type: ignore[misc]
    """The S3 storage of django-storages; its options are the same."""

    verifies_writes = False
    receives_uploads = True

    def read_range(self, key: str, start: int, end: int) -> Iterator[bytes]:
        # S3Storage.open would download the whole file first.
        if start < end:
            with _missing_as_file_not_found(key):
                part = self.bucket.Object(self._key(key)).get(Range=f"bytes={start}-{end - 1}")
            yield from part["Body"].iter_chunks(_READ_BYTES)

    def copy(self, source: str, target: str) -> None:
        """Let the bucket copy the object; large ones in parts."""
        origin = {"Bucket": self.bucket_name, "Key": self._key(source)}
        with _missing_as_file_not_found(source):
            self.bucket.copy(origin, self._key(target))

    def link(self, target: LinkTarget, seconds: int) -> str:
        """Return a presigned URL of the bucket."""
        parameters = {
            "ResponseContentDisposition": content_disposition_header(True, target.filename),
            "ResponseContentType": target.content_type,
        }
        # mypy sees the `url` of Django's Storage: S3Storage has no types.
        url: str = self.url(target.key, parameters=parameters, expire=seconds)  # type: ignore[call-arg]
        return url

    def upload_link(self, target: UploadTarget, seconds: int) -> UploadLink:
        """Return a presigned PUT of the bucket, which uploads one file only.

        A second upload would replace a file that is being read: the bucket refuses it.
        """
        url = self.connection.meta.client.generate_presigned_url(
            "put_object",
            Params={
                "Bucket": self.bucket_name,
                "Key": self._key(target.key),
                "IfNoneMatch": "*",
            },
            ExpiresIn=seconds,
        )
        return UploadLink(url, headers={"If-None-Match": "*"})

    def probe(self) -> None:
        """Request the head of the bucket. Buckets do not fill up, so nothing is written."""
        self.connection.meta.client.head_bucket(Bucket=self.bucket_name)

    def get_modified_time(self, name: str) -> datetime:
        """Return the time of the last change. Raises FileNotFoundError, as other storages do."""
        with _missing_as_file_not_found(name):
            modified: datetime = super().get_modified_time(name)
        return modified

    def _delete_contents(self, path: str, deadline: float) -> bool:
        """Send two requests per thousand objects: one lists them, one deletes them."""
        is_clear = True
        for page in self.bucket.objects.filter(Prefix=self._key(f"{path}/")).pages():
            if not page:
                # S3 refuses an empty list of keys.
                continue
            if time.monotonic() > deadline:
                return False
            keys = [{"Key": each.key} for each in page]
            response = self.bucket.delete_objects(Delete={"Objects": keys, "Quiet": True})
            for error in response.get("Errors", ()):
                logger.error("The file %s could not be deleted: %s", error["Key"], error["Message"])
                is_clear = False
            # The next page is another request.
            if time.monotonic() > deadline:
                return False
        return is_clear

    def _key(self, name: str) -> Any:
        """Return the key of an object: its name inside the folder that the option location sets."""
        return self._normalize_name(clean_name(name))


@contextmanager
def _missing_as_file_not_found(name: str) -> Iterator[None]:
    """Raise FileNotFoundError for a missing object, as other storages do."""
    try:
        yield
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.NOT_FOUND:
            raise FileNotFoundError(name) from error
        raise
