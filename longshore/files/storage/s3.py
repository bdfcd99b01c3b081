"""Files in an S3 bucket, or a compatible one: django-storages with the interface `FileStorage`."""

import base64
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from http import HTTPStatus
from operator import attrgetter
from typing import IO, Any

from botocore.exceptions import BotoCoreError, ClientError
from django.utils.http import content_disposition_header
from redis.exceptions import RedisError
from storages.backends.s3 import S3Storage  # type: ignore[import-untyped]
from storages.utils import clean_name  # type: ignore[import-untyped]

from longshore.cache import cache
from longshore.files.storage.base import (
    FileStorage,
    LinkTarget,
    PartsNotSupported,
    SavedPart,
    SavePart,
    UploadLink,
    UploadTarget,
)

logger = logging.getLogger(__name__)

_READ_BYTES = 1 << 20
# Errors of servers that do not know the CRC-32 of a whole object; and at the completion, also of
# those that compare the checksums of the parts only.
_NOT_SUPPORTED = ("InvalidArgument", "InvalidRequest", "MalformedXML", "NotImplemented")
_NOT_COMPLETED = (*_NOT_SUPPORTED, "InvalidPart")
# For so long no process tries again.
_REFUSAL_SECONDS = 3600
# The options of an object that each request of an upload in parts repeats, and those of its bytes.
_OPTIONS_OF_REQUESTS = ("ExpectedBucketOwner", "RequestPayer")
_OPTIONS_OF_PARTS = (*_OPTIONS_OF_REQUESTS, "SSECustomerAlgorithm", "SSECustomerKey")


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

    @property
    def receives_parts(self) -> bool:
        """False for an hour after the server has refused to."""
        with suppress(RedisError):
            return cache.get(self._refusal) is None
        return False

    def start_parts(self, key: str, content_type: str) -> str:
        options = self._get_write_parameters(self._key(key)) | {
            "ContentType": content_type,
            "ChecksumAlgorithm": "CRC32",
        }
        with self._unsupported_parts():
            response = self._client.create_multipart_upload(
                **self._object(key), **options, ChecksumType="FULL_OBJECT"
            )
        return str(response["UploadId"])

    def part_saver(self, key: str, upload: str) -> SavePart:
        # A client of boto3 is safe in threads, and each new one costs 76 to 202 ms.
        client, target = self._client, self._part_of(key)

        def save(number: int, content: IO[bytes], crc32: int, /) -> SavedPart:
            with self._unsupported_parts():
                response = client.upload_part(
                    **target,
                    UploadId=upload,
                    PartNumber=number,
                    Body=content,
                    ChecksumCRC32=_encoded(crc32),
                )
            return SavedPart(number, response["ETag"], crc32)

        return save

    def complete_parts(self, key: str, upload: str, parts: Sequence[SavedPart], crc32: int) -> None:
        # Some servers require the checksums.
        listed = [
            {"PartNumber": each.number, "ETag": each.tag, "ChecksumCRC32": _encoded(each.crc32)}
            for each in sorted(parts, key=attrgetter("number"))
        ]
        checksum = _encoded(crc32)
        with self._unsupported_parts(_NOT_COMPLETED):
            response = self._client.complete_multipart_upload(
                **self._part_of(key),
                UploadId=upload,
                MultipartUpload={"Parts": listed},
                ChecksumCRC32=checksum,
                ChecksumType="FULL_OBJECT",
            )
        # Some servers compare no checksum, and return none or that of the parts' checksums.
        returned = response.get("ChecksumCRC32", checksum)
        if returned != checksum and "-" not in returned:
            raise OSError(f"The bucket has other bytes of {key} than were sent.")

    def abort_parts(self, key: str, upload: str) -> bool:
        target = self._part_of(key, _OPTIONS_OF_REQUESTS)
        try:
            self._client.abort_multipart_upload(**target, UploadId=upload)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.NOT_FOUND:
                return True
            logger.warning("The parts of %s could not be deleted: %s", key, error)
            return False
        except BotoCoreError as error:
            logger.warning("The parts of %s could not be deleted: %s", key, error)
            return False
        return True

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
        url = self._client.generate_presigned_url(
            "put_object",
            Params={**self._object(target.key), "IfNoneMatch": "*"},
            ExpiresIn=seconds,
        )
        return UploadLink(url, headers={"If-None-Match": "*"})

    def probe(self) -> None:
        """Request the head of the bucket. Buckets do not fill up, so nothing is written."""
        self._client.head_bucket(Bucket=self.bucket_name)

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

    @property
    def _refusal(self) -> str:
        """The key in the cache that tells that the server does not support parts."""
        return f"no-parts:{self.endpoint_url}:{self.bucket_name}"

    @property
    def _client(self) -> Any:
        """The client of the calling thread."""
        return self.connection.meta.client

    def _object(self, name: str) -> dict[str, str]:
        """Return the parameters of a request that name an object."""
        return {"Bucket": self.bucket_name, "Key": self._key(name)}

    def _part_of(self, name: str, repeated: Sequence[str] = _OPTIONS_OF_PARTS) -> dict[str, Any]:
        """Return the parameters of a request of an upload in parts.

        repeated: the options of the object that the request needs.
        """
        options = self.get_object_parameters(self._key(name))
        given = {option: options[option] for option in repeated if option in options}
        return self._object(name) | given

    @contextmanager
    def _unsupported_parts(self, codes: Sequence[str] = _NOT_SUPPORTED) -> Iterator[None]:
        """Raise PartsNotSupported for errors with these codes."""
        try:
            yield
        except ClientError as error:
            if error.response["Error"]["Code"] in codes:
                with suppress(RedisError):
                    cache.set(self._refusal, 1, timeout=_REFUSAL_SECONDS)
                raise PartsNotSupported(str(error)) from error
            raise

    def _key(self, name: str) -> Any:
        """Return the key of an object: its name inside the folder that the option location sets."""
        return self._normalize_name(clean_name(name))


def _encoded(crc32: int) -> str:
    """Return a CRC-32 as the API of S3 shows it."""
    return base64.b64encode(crc32.to_bytes(4)).decode()


@contextmanager
def _missing_as_file_not_found(name: str) -> Iterator[None]:
    """Raise FileNotFoundError for a missing object, as other storages do."""
    try:
        yield
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.NOT_FOUND:
            raise FileNotFoundError(name) from error
        raise
