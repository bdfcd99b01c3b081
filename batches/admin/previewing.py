"""Who may see cells of the file of a batch: in previews, rows with errors and changes."""

from django.http import HttpRequest

from batches.models import Batch
from longshore.resources.readers import may_read_job


def may_preview(request: HttpRequest, batch: Batch) -> bool:
    """Return whether the person has `preview_batch` and may read the resource of a batch."""
    return request.user.has_perm("batches.preview_batch") and may_read_job(batch, request.user)
