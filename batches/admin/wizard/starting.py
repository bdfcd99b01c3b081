"""Creates the batches of the wizard: drafts, dry runs, and the batches that write."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from batches.admin.wizard.bodies import starting_body
from batches.lifecycle import creation, uploads
from batches.lifecycle.creation import Source
from batches.lifecycle.transitions import batch_lifecycle
from batches.models import Batch, Via
from batches.request.parser import parse_batch
from batches.spec import BatchSpec
from longshore.accounts import audit
from longshore.accounts.models import AuditAction, Organization
from longshore.api.concurrency import admitted
from longshore.jobs.specs import check_size
from longshore.resources.readers import check_person_names


def create_draft(
    request: HttpRequest,
    organization: Organization,
    body: Mapping[str, Any],
    name: str,
    blocks: Iterable[bytes] | None,
) -> Batch:
    """Create a draft. blocks: of its input; None if it is uploaded later.

    Raises ApiError if the body is not valid, if a limit is exceeded, or if the person may not read
    the resource.
    """
    spec = _parse(request, organization, body)
    with admitted(organization.pk, spare=1):
        source = (
            creation.announced(name)
            if blocks is None
            else creation.store(organization, name, Via.FILE, blocks)
        )
        message = f"Upload of {name} for {spec.resource}."
        return _create(request, organization, body, spec, source, message, is_draft=True)


def check(request: HttpRequest, batch: Batch, body: Mapping[str, Any]) -> Batch:
    """Start a dry run of the input of a batch with another request. A draft becomes the dry run.

    Raises ApiError as `create_draft`.
    """
    spec = validated(request, batch, body)
    if batch.is_draft and _queue_draft(request, batch, body, spec):
        return batch
    with admitted(batch.organization_id, spare=1):
        source = creation.copied(batch)
        message = f"Dry run of {batch.input_name}, with the input of {batch}."
        return _create(request, batch.organization, body, spec, source, message)


def validated(request: HttpRequest, batch: Batch, body: Mapping[str, Any]) -> BatchSpec:
    """Validate another request for the input of a batch, except for quotas. Stores nothing.

    Raises ApiError if the body is not valid or too large, or if the person may not read the
    resource.
    """
    spec = _parse(request, batch.organization, body)
    check_size(body, spec, creation.SIZE_ADVICE)
    return spec


def discard_draft(request: HttpRequest, batch: Batch) -> None:
    """Cancel a draft whose upload failed: it counts as unfinished. Does nothing for others."""
    with transaction.atomic():
        if batch.is_draft and batch_lifecycle.cancel(batch, "The upload was not finished."):
            message = f"Discarded the upload of {batch.input_name}."
            audit.record(request, AuditAction.CHANGE, batch.organization_id, batch, message)


def run(request: HttpRequest, batch: Batch, confirm_deletes: int | None) -> Batch:
    """Start the batch that writes what a dry run has found, from a copy of its input.

    confirm_deletes: as in a `BatchSpec`.
    A dry run is run once: returns the run that it has, unless that has failed or was undone.
    Raises ApiError as `create_draft`.
    """
    if existing := creation.run_of(batch):
        return existing
    body = starting_body(batch.request) | {"dry_run": False}
    if confirm_deletes is not None:
        body["confirm_deletes"] = confirm_deletes
    spec = _parse(request, batch.organization, body)
    with admitted(batch.organization_id, spare=1):
        source = creation.copied(batch)
        message = f"Run of {batch.input_name}, after the dry run {batch}."
        return _create(request, batch.organization, body, spec, source, message, checked_by=batch)


def _parse(request: HttpRequest, organization: Organization, body: Mapping[str, Any]) -> BatchSpec:
    spec = parse_batch(body, organization, has_file=True).spec
    check_person_names([spec.resource], request.user)
    return spec


def _queue_draft(
    request: HttpRequest, batch: Batch, body: Mapping[str, Any], spec: BatchSpec
) -> bool:
    """Queue a draft as a dry run. Return False if it has been queued before."""
    with transaction.atomic():
        is_queued = batch.input_bytes is not None and uploads.queue(
            batch,
            request=body,
            spec=spec.to_json(),
            action=spec.action,
            is_draft=False,
        )
        if is_queued:
            message = f"Dry run of {batch.input_name}."
            audit.record(request, AuditAction.CHANGE, batch.organization_id, batch, message)
    return is_queued


def _create(
    request: HttpRequest,
    organization: Organization,
    body: Mapping[str, Any],
    spec: BatchSpec,
    source: Source,
    message: str,
    *,
    is_draft: bool = False,
    checked_by: Batch | None = None,
) -> Batch:
    try:
        with transaction.atomic():
            batch, is_new = creation.create(
                organization,
                None,
                body,
                spec,
                source,
                is_draft=is_draft,
                checked_by=checked_by,
            )
            if is_new:
                audit.record(request, AuditAction.ADD, organization.pk, batch, message)
    except BaseException:
        source.discard()
        raise
    if not is_new:
        source.discard()
    return batch
