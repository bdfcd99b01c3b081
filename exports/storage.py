"""Where files are kept, and the short-lived links to them."""

import logging
from datetime import datetime, timedelta
from typing import IO, Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.signing import BadSignature, SignatureExpired, TimestampSigner
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from exports.models import Export, ExportFile

logger = logging.getLogger(__name__)

_signer = TimestampSigner(salt="exports.file")


class InvalidLink(Exception):
    """A link that leads to no file; `expired` says whether it once did."""

    def __init__(self, *, expired: bool) -> None:
        super().__init__()
        self.expired = expired


def storage_key(export: Export, claim: str) -> str:
    """Where one attempt writes its file.

    It has no extension, from which a storage could conclude that the gzip is the transport's.
    """
    return f"exports/{export.organization_id}/{export.public_id}/{claim}"


def delete_files(export: Export) -> bool:
    """Delete what any attempt of an export wrote; false where the storage would not."""
    kept = [claim for claim in export.claims if not discard(storage_key(export, claim))]
    return not kept


def discard(key: str) -> bool:
    """Delete a file, which need not be there; false where the storage would not."""
    try:
        default_storage.delete(key)
    except Exception:
        # Whatever a storage raises, what comes after this must not wait for it.
        logger.exception("The file %s could not be deleted.", key)
        return False
    return True


def signed_url(file: ExportFile, request: HttpRequest) -> tuple[str, datetime]:
    """A link that needs no API key, and the time at which it ends."""
    seconds: int = settings.EXPORT_LINK_SECONDS
    ends = timezone.now() + timedelta(seconds=seconds)
    storage: Any = default_storage
    if isinstance(storage, FileSystemStorage):
        # What opens the file is in the query, which logs of requests leave out.
        query = urlencode({"signature": _signer.sign(str(file.pk))})
        path = reverse("export-file", args=[file.name])
        return request.build_absolute_uri(f"{path}?{query}"), ends
    parameters = {
        "ResponseContentDisposition": content_disposition(file.name),
        "ResponseContentType": file.content_type,
    }
    return storage.url(file.storage_key, parameters=parameters, expire=seconds), ends


def open_signed(token: str) -> tuple[ExportFile, IO[bytes]]:
    """The file of a link of this machine, and its content. Raises InvalidLink."""
    try:
        key = _signer.unsign(token, max_age=settings.EXPORT_LINK_SECONDS)
        file = ExportFile.objects.select_related("export").get(pk=key)
        if file.export.expired:
            raise InvalidLink(expired=True)
        return file, default_storage.open(file.storage_key)
    except (SignatureExpired, FileNotFoundError):
        raise InvalidLink(expired=True) from None
    except (BadSignature, ExportFile.DoesNotExist):
        raise InvalidLink(expired=False) from None


def content_disposition(name: str) -> str:
    return f"attachment; filename=\"{name}\"; filename*=UTF-8''{quote(name)}"
