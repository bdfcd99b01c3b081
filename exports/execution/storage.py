"""Where files are kept, and the short-lived links to them."""

import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from math import inf
from typing import IO, Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.signing import BadSignature, SignatureExpired, TimestampSigner
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from exports.models import Export, ExportFile
from longshore.api.links import absolute
from longshore.files.local_storage import LocalStorage

logger = logging.getLogger(__name__)

_ROOT = "exports"
MANIFEST = "manifest.json"
_READ_BYTES = 1 << 20

_signer = TimestampSigner(salt="exports.file")


class InvalidLink(Exception):
    """A link that leads to no file; `expired` says whether it once did."""

    def __init__(self, *, expired: bool) -> None:
        super().__init__()
        self.expired = expired


def folder(export: Export, claim: str) -> str:
    """Where one attempt writes its files, and nobody else.

    They have no extensions, from which a storage could conclude that gzip is the transport's.
    """
    return f"{organization_folder(export.organization_id)}/{export.public_id}/{claim}"


def organization_folder(organization_id: str) -> str:
    return f"{_ROOT}/{organization_id}"


def delete_files(export: Export, end: float = inf) -> bool:
    """Delete what any attempt of an export wrote; False if something is left.

    end: on the monotonic clock, after which no other request is sent to the storage.
    """
    cleared = [clear(folder(export, claim), end) for claim in export.claims]
    if not all(cleared):
        return False
    if isinstance(default_storage, LocalStorage):
        # What stands around their folders stays only if an attempt has begun anew.
        with suppress(OSError):
            default_storage.delete(f"{_ROOT}/{export.organization_id}/{export.public_id}")
    return True


def clear(path: str, end: float = inf) -> bool:
    """Delete a folder and what is in it, which need not be there; False if something is left.

    end: as for `delete_files`.
    """
    try:
        if isinstance(default_storage, LocalStorage):
            return _clear_folder(path, end)
        return _clear_prefix(f"{path}/", end)
    except FileNotFoundError:
        return True
    except Exception:
        # Whatever a storage raises, what comes after this must not wait for it.
        logger.exception("The files in %s could not be deleted.", path)
        return False


def _clear_folder(path: str, end: float) -> bool:
    folders, names = default_storage.listdir(path)
    cleared = [clear(f"{path}/{name}", end) for name in folders]
    if not all(cleared):
        return False
    discarded = []
    for name in names:
        if time.monotonic() > end:
            return False
        discarded.append(delete_file(f"{path}/{name}"))
    return all(discarded) and delete_file(path)


def _clear_prefix(prefix: str, end: float) -> bool:
    """Delete the objects of a bucket by two requests for each thousand: one lists, one deletes."""
    storage: Any = default_storage
    is_clear = True
    for page in storage.bucket.objects.filter(Prefix=prefix).pages():
        if not page:
            # S3 refuses an empty list of keys.
            continue
        if time.monotonic() > end:
            return False
        keys = [{"Key": each.key} for each in page]
        answer = storage.bucket.delete_objects(Delete={"Objects": keys, "Quiet": True})
        for error in answer.get("Errors", ()):
            logger.error("The file %s could not be deleted: %s", error["Key"], error["Message"])
            is_clear = False
    return is_clear


def delete_file(key: str) -> bool:
    """Delete a file, which need not be there; false where the storage would not."""
    try:
        default_storage.delete(key)
    except Exception:
        # As above.
        logger.exception("The file %s could not be deleted.", key)
        return False
    return True


def read_back(key: str, start: int, end: int) -> Iterator[bytes]:
    """What a file holds from `start` on and before `end`, in blocks; in a bucket it is a request.

    S3Storage itself would first fetch all of the file.
    """
    if isinstance(default_storage, LocalStorage):
        yield from default_storage.blocks(key, start, end)
    elif start < end:
        storage: Any = default_storage
        stretch = storage.bucket.Object(key).get(Range=f"bytes={start}-{end - 1}")
        yield from stretch["Body"].iter_chunks(_READ_BYTES)


def orphans(older_than: timedelta) -> Iterator[str]:
    """Files in the storage that no attempt of any export wrote, unless they are new."""
    newest = timezone.now() - older_than
    for path in _unknown_attempts():
        for key in _files(path):
            if default_storage.get_modified_time(key) < newest:
                yield key


def _unknown_attempts() -> Iterator[str]:
    """The folders of attempts that no export knows of."""
    for organization in _folders(_ROOT):
        exports = Export.objects.filter(organization_id=organization).exclude(claims=[])
        known = {claim for claims in exports.values_list("claims", flat=True) for claim in claims}
        for public_id in _folders(f"{_ROOT}/{organization}"):
            path = f"{_ROOT}/{organization}/{public_id}"
            yield from (f"{path}/{claim}" for claim in set(_folders(path)) - known)


def _files(path: str) -> Iterator[str]:
    folders, names = default_storage.listdir(path)
    yield from (f"{path}/{name}" for name in names)
    for name in folders:
        yield from _files(f"{path}/{name}")


def _folders(path: str) -> list[str]:
    try:
        return default_storage.listdir(path)[0]
    except FileNotFoundError:
        return []


def signed_url(file: ExportFile, request: HttpRequest | None = None) -> tuple[str, datetime]:
    """A link that needs no API key, and the time at which it ends; `links.absolute` says whose."""
    seconds: int = settings.EXPORT_LINK_SECONDS
    ends = timezone.now() + timedelta(seconds=seconds)
    storage: Any = default_storage
    if isinstance(storage, LocalStorage):
        # What opens the file is in the query, which logs of requests leave out.
        query = urlencode({"signature": _signer.sign(f"{file.export.public_id}/{file.name}")})
        path = reverse("export-file", args=[file.name])
        return absolute(f"{path}?{query}", request), ends
    parameters = {
        "ResponseContentDisposition": content_disposition(file.name),
        "ResponseContentType": file.content_type,
    }
    return storage.url(file.storage_key, parameters=parameters, expire=seconds), ends


def open_signed(token: str) -> tuple[ExportFile, IO[bytes]]:
    """The file of a link of this machine, and its content. Raises InvalidLink."""
    try:
        signed = _signer.unsign(token, max_age=settings.EXPORT_LINK_SECONDS)
        public_id, _, name = signed.partition("/")
        files = ExportFile.objects.filter(export__deleted_at=None)
        file = files.select_related("export").get(export__public_id=public_id, name=name)
        if file.export.expired:
            raise InvalidLink(expired=True)
        return file, default_storage.open(file.storage_key)
    except (SignatureExpired, FileNotFoundError):
        raise InvalidLink(expired=True) from None
    except (BadSignature, ExportFile.DoesNotExist):
        raise InvalidLink(expired=False) from None


def content_disposition(name: str) -> str:
    return f"attachment; filename=\"{name}\"; filename*=UTF-8''{quote(name)}"
