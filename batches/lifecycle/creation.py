"""Creates batches from specs and inputs, within the limits of their organization."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from batches.errors import BatchErrorCode
from batches.lifecycle import limits, storage
from batches.lifecycle.storage import StoredInput
from batches.lifecycle.transitions import BATCHES, batch_lifecycle
from batches.models import Batch, BatchFile, BatchLimits, FileKind, Via
from batches.spec import BatchSpec, Mode
from longshore.accounts.models import ApiKey, Organization
from longshore.api.errors import ApiError
from longshore.database.ids import new_id
from longshore.files.storage import file_storage
from longshore.jobs import actions, admission
from longshore.jobs.specs import check_size
from longshore.jobs.statuses import Lane, Status
from longshore.resources.readers import check_key
from longshore.resources.registry import registry

SIZE_ADVICE = "Use a shorter mapping, fewer properties or fewer corrections."


@dataclass(frozen=True)
class Source:
    """The input of a new batch.

    public_id: of the batch.
    stored: the input in storage; None if it is uploaded later.
    """

    public_id: str
    name: str
    via: Via
    stored: StoredInput | None = None

    def discard(self) -> None:
        """Delete the input, unless its batch was stored."""
        if self.stored and not Batch.objects.filter(public_id=self.public_id).exists():
            self.stored.discard()


def store(
    organization: Organization,
    name: str,
    via: Via,
    blocks: Iterable[bytes],
    *,
    mode: Mode = Mode.ASYNC,
    is_multipart: bool = False,
    may_exist: bool = False,
) -> Source:
    """Store the input of a new batch. Raises ApiError if it exceeds a limit.

    is_multipart: whether the input is a part of a request, which has a limit of its own.
    may_exist: whether the batch may turn out to exist already. Then `create` alone checks the
        quotas, if the batch is new.
    """
    if not may_exist:
        check_quotas(organization.pk)
    refusals = [limits.too_many_bytes(max_bytes(organization.pk))]
    if mode is Mode.SYNC:
        refusals.append(limits.too_many_sync_bytes())
    if is_multipart:
        refusals.append(limits.too_many_multipart_bytes())
    public_id = new_id("batch")
    key = storage.BATCH_STORAGE.new_input_key(organization.pk, public_id)
    stored = storage.save_input(key, limited(blocks, *refusals))
    return Source(public_id, name, via, stored)


def check_quotas(organization_id: str) -> None:
    """Raise ApiError if one more batch would exceed a quota of an organization."""
    allowed = BatchLimits.applied_to(organization_id)
    admission.Quotas(BATCHES, organization_id, allowed).check()


def has_input(batch: Batch) -> bool:
    """Return whether a batch has an input in storage, which can be read and copied."""
    is_stored = batch.input_key is not None and batch.input_bytes is not None
    return is_stored and batch.has_files and batch.expires_at > timezone.now()


def copied(batch: Batch) -> Source:
    """Return the input of a new batch: a copy of that of a batch of the same organization.

    Raises ApiError if the input has been deleted, or if a quota is exceeded.
    """
    key, size = batch.input_key, batch.input_bytes
    if key is None or size is None or not has_input(batch):
        raise _deleted_input()
    check_quotas(batch.organization_id)
    public_id = new_id("batch")
    target = storage.BATCH_STORAGE.new_input_key(batch.organization_id, public_id)
    try:
        file_storage.copy(key, target)
    except FileNotFoundError:
        raise _deleted_input() from None
    stored = StoredInput(target, size, batch.input_sha256)
    return Source(public_id, batch.input_name, Via(batch.via), stored)


def _deleted_input() -> ApiError:
    text = "The input of the batch has been deleted. Send it again."
    return ApiError(BatchErrorCode.BATCH_EXPIRED, text)


def announced(name: str) -> Source:
    """Return the input of a new batch that is uploaded later."""
    return Source(new_id("batch"), name, Via.FILE)


def create(
    organization: Organization,
    api_key: ApiKey | None,
    request: Mapping[str, Any],
    spec: BatchSpec,
    source: Source,
    *,
    dedupe: bool = False,
    claim: bool = False,
    is_draft: bool = False,
    checked_by: Batch | None = None,
) -> tuple[Batch, bool]:
    """Store a batch.

    A batch of the mode `sync` is claimed for this process, which runs it after the commit. One that
    is small and of the mode `mixed` is requested: `batches.execution.checking` queues it. Others
    are queued, or requested if their input is uploaded later.

    claim: claim a batch whose input is stored for this process, whatever its mode.
    is_draft: the batch stays requested until `uploads.queue` is called.
    dedupe: return a batch with the same input and spec instead, if one is unfinished or completed
        and not undone.
    checked_by: the dry run that the batch runs. If it has a run (`run_of`), return that instead.
    Returns the batch, and whether it is a new one.
    Raises ApiError if a limit is exceeded, or if the key may not read the resource.
    """
    check_size(request, spec, SIZE_ADVICE, " without its records")
    resource = registry.get(spec.resource)
    if api_key is not None and resource is not None:
        # The files and the preview of a batch show stored records.
        check_key([resource], api_key)
    allowed = BatchLimits.applied_to(organization.pk)
    quotas = admission.Quotas(BATCHES, organization.pk, allowed)
    with transaction.atomic():
        admission.lock(organization.pk)
        if dedupe and source.stored and (existing := _same(organization, spec, source.stored)):
            return existing, False
        if checked_by and (existing := run_of(checked_by)):
            return existing, False
        batch = _new(organization, api_key, request, spec, source)
        batch.checked_by = checked_by
        if is_draft:
            batch.is_draft, batch.status = True, Status.REQUESTED
        if source.stored:
            admission.admit_stored_bytes(BATCHES, organization.pk, source.stored.bytes)
        if source.stored and (claim or spec.mode is Mode.SYNC):
            batch = actions.create_claimed(batch_lifecycle, batch, quotas)
        else:
            actions.create_locked(batch_lifecycle, batch, quotas)
        if source.stored:
            record_input(batch, source.stored)
    return batch, True


def run_of(dry_run: Batch) -> Batch | None:
    """Return the batch that runs a dry run, if it is unfinished or completed and not undone."""
    statuses = (*BATCHES.unfinished, Status.COMPLETED, Status.EXPIRED)
    runs = Batch.objects.visible().filter(checked_by=dry_run, undone_at=None)
    return runs.filter(status__in=statuses).first()


def max_bytes(organization_id: str) -> int:
    """Return the maximum size of an input of an organization."""
    allowed: int | None = BatchLimits.applied_to(organization_id).bytes
    return allowed or settings.BATCH_MAX_BYTES


def limited(blocks: Iterable[bytes], *refusals: ApiError) -> Iterator[bytes]:
    """Yield the blocks of an input until they exceed a limit.

    refusals: the errors of the limits, each with its `maximum` of bytes. Raises the error of the
        lowest one.
    """

    def maximum_of(each: ApiError) -> int:
        return cast("int", each.details["maximum"])

    refusal = min(refusals, key=maximum_of)
    maximum, size = maximum_of(refusal), 0
    for block in blocks:
        size += len(block)
        if size > maximum:
            raise refusal
        yield block


def lane_of(size: int) -> Lane:
    """Return the lane of a batch whose input has `size` bytes."""
    return Lane.QUICK if size <= limits.MAX_QUICK_BYTES else Lane.LARGE


def record_input(batch: Batch, stored: StoredInput) -> None:
    """Store the row of the input's file, whose format is not known yet."""
    BatchFile.objects.create(
        batch=batch,
        kind=FileKind.UPLOAD,
        format="",
        name=batch.input_name,
        storage_key=stored.key,
        content_type=storage.INPUT_CONTENT_TYPE,
        rows=0,
        bytes=stored.bytes,
        sha256=stored.sha256,
    )


def _new(
    organization: Organization,
    api_key: ApiKey | None,
    request: Mapping[str, Any],
    spec: BatchSpec,
    source: Source,
) -> Batch:
    stored = source.stored
    size = stored.bytes if stored else None
    return Batch(
        public_id=source.public_id,
        organization=organization,
        api_key=api_key,
        resource=spec.resource,
        action=spec.action,
        mode=spec.mode,
        via=source.via,
        dry_run=spec.dry_run,
        request=request,
        spec=spec.to_json(),
        status=Status.REQUESTED if _waits(spec, stored) else Status.QUEUED,
        lane=lane_of(size or 0),
        has_files=True,
        stored_bytes=size or 0,
        input_key=stored.key
        if stored
        else storage.BATCH_STORAGE.new_input_key(organization.pk, source.public_id),
        input_name=source.name,
        input_bytes=size,
        input_sha256=stored.sha256 if stored else "",
    )


def _waits(spec: BatchSpec, stored: StoredInput | None) -> bool:
    """Return whether a new batch is not queued yet."""
    if stored is None:
        return True
    return spec.mode is Mode.MIXED and stored.bytes <= limits.MAX_CHECKED_BYTES


def _same(organization: Organization, spec: BatchSpec, stored: StoredInput) -> Batch | None:
    same = Batch.objects.visible().filter(
        organization=organization,
        input_sha256=stored.sha256,
        spec=spec.to_json(),
        undone_at=None,
        is_draft=False,
    )
    return same.shown_as([*BATCHES.unfinished, Status.COMPLETED]).first()
