"""Who may see cells of the file of a batch: in previews, errors of rows and changes."""

from django.http import HttpRequest

from batches.models import Batch
from longshore.accounts import audit
from longshore.jobs.admin.presentation import resource_noun
from longshore.resources.readers import may_read_job


def may_preview(request: HttpRequest, batch: Batch) -> bool:
    """Return whether the person has `preview_batch` and may read the resource of a batch."""
    return request.user.has_perm("batches.preview_batch") and may_read_job(batch, request.user)


def record_preview(request: HttpRequest, batch: Batch, message: str) -> None:
    """Record that the person has seen rows of a batch."""
    noun = resource_noun(batch.resource)
    audit.record_preview(request, batch.organization_id, noun, message)


def record_errors(request: HttpRequest, batch: Batch) -> None:
    """Record that the person has seen cells of rows with errors."""
    record_preview(request, batch, f"Previewed rows with errors of {batch}.")
