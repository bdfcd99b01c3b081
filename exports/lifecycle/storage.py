"""The files of exports in storage, and the presigned URLs of them.

Every attempt writes into a folder of its own, `exports/<organization>/<export>/<attempt>/`, so that
an attempt that lost its lease cannot harm the files of its successor.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from math import inf
from typing import IO

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from exports.models import Export, ExportFile
from longshore.api.links import absolute
from longshore.files import signed_links
from longshore.files.signed_links import InvalidLink
from longshore.files.storage import file_storage
from longshore.files.storage.base import LinkTarget

_ROOT = "exports"
MANIFEST = "manifest.json"


def attempt_folder(export: Export, claim: str) -> str:
    """Return the folder of the files of one attempt.

    The files have no extensions: some storages serve `.gz` files with `Content-Encoding: gzip`.
    """
    return f"{_export_folder(export)}/{claim}"


def organization_folder(organization_id: str) -> str:
    return f"{_ROOT}/{organization_id}"


def _export_folder(export: Export) -> str:
    return f"{organization_folder(export.organization_id)}/{export.public_id}"


def delete_attempts(export: Export, claims: Iterable[str], deadline: float = inf) -> bool:
    """Delete what attempts of an export wrote.

    claims: the tokens of the attempts.
    deadline: on the monotonic clock; no request is sent to the storage after it.
    Returns whether nothing is left.
    """
    folders = [attempt_folder(export, claim) for claim in claims]
    # A folder that cannot be deleted does not keep the others.
    deleted = [file_storage.delete_folder(folder, deadline) for folder in folders]
    if not all(deleted):
        return False
    # The folder is not empty if another attempt has begun since the export was read.
    file_storage.remove_empty_folder(_export_folder(export))
    return True


def orphans(older_than: timedelta) -> Iterator[str]:
    """Yield the storage keys of files that no attempt of any export wrote.

    older_than: minimum age of a file.
    """

    def known_attempts(organization_id: str) -> set[str]:
        exports = Export.objects.filter(organization_id=organization_id).exclude(claims=[])
        return {claim for claims in exports.values_list("claims", flat=True) for claim in claims}

    return file_storage.orphans(_ROOT, known_attempts, older_than)


def signed_url(file: ExportFile, request: HttpRequest | None = None) -> tuple[str, datetime]:
    """Return the presigned URL of a file, and the time when it expires.

    request: supplies the host of the URL if Longshore serves the file; None for that of BASE_URL.
    """
    seconds: int = settings.EXPORT_LINK_SECONDS
    expires_at = timezone.now() + timedelta(seconds=seconds)
    target = LinkTarget(
        key=file.storage_key,
        filename=file.name,
        content_type=file.content_type,
        url=absolute(reverse("export-file", args=[file.name]), request),
        identifier=f"{file.export.public_id}/{file.name}",
    )
    return file_storage.link(target, seconds), expires_at


def open_signed(signature: str) -> tuple[ExportFile, IO[bytes]]:
    """Open the file of a link that Longshore serves. Raises InvalidLink."""
    identifier = signed_links.verify(signature, settings.EXPORT_LINK_SECONDS)
    public_id, _, name = identifier.partition("/")
    try:
        files = ExportFile.objects.filter(export__deleted_at=None)
        file = files.select_related("export").get(export__public_id=public_id, name=name)
    except ExportFile.DoesNotExist:
        raise InvalidLink(expired=False) from None
    if file.export.expired:
        raise InvalidLink(expired=True)
    try:
        return file, file_storage.open(file.storage_key)
    except FileNotFoundError:
        raise InvalidLink(expired=True) from None
