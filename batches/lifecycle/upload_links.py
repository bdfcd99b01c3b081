"""The links to which clients upload the inputs of requested batches."""

from math import ceil

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from batches.models import Batch
from longshore.api.links import absolute
from longshore.files import signed_links
from longshore.files.signed_links import UPLOAD_PREFIX, InvalidLink
from longshore.files.storage import file_storage
from longshore.files.storage.base import UploadLink, UploadTarget
from longshore.jobs.statuses import Status


def upload_link(batch: Batch, request: HttpRequest | None = None) -> UploadLink | None:
    """Return the link of a requested batch; None if its input has arrived or its time is over.

    request: supplies the host of the URL if Longshore receives the file.
    """
    seconds = ceil((batch.expires_at - timezone.now()).total_seconds())
    if batch.input_key is None or batch.input_bytes is not None or seconds <= 0:
        return None
    target = UploadTarget(
        key=batch.input_key,
        url=absolute(reverse("batch-upload", args=[batch.input_name]), request),
        identifier=f"{UPLOAD_PREFIX}{batch.public_id}",
    )
    return file_storage.upload_link(target, seconds)


def own_upload_url(batch: Batch) -> str:
    """Return the path of Longshore, without a host, that receives the input of a requested batch.

    For pages of Longshore itself: their content security policy allows no bucket.
    """
    url = reverse("batch-upload", args=[batch.input_name])
    return signed_links.signed_url(url, f"{UPLOAD_PREFIX}{batch.public_id}")


def requested_batch(signature: str) -> Batch:
    """Return the batch of a link to Longshore. Raises InvalidLink."""
    identifier = signed_links.verify(signature, settings.BATCH_UPLOAD_SECONDS)
    if not identifier.startswith(UPLOAD_PREFIX):
        raise InvalidLink(expired=False)
    public_id = identifier.removeprefix(UPLOAD_PREFIX)
    batch = Batch.objects.visible().filter(public_id=public_id).first()
    if batch is None:
        raise InvalidLink(expired=False)
    if batch.status != Status.REQUESTED or batch.expires_at <= timezone.now():
        raise InvalidLink(expired=True)
    return batch
