"""The actions of clients and staff on a job: create, cancel, retry, expire, delete."""

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone

from longshore.api.errors import ApiError, ErrorCode
from longshore.jobs import admission, maintenance
from longshore.jobs.admission import Quotas
from longshore.jobs.errors import JobErrorCode
from longshore.jobs.kinds import JobKind
from longshore.jobs.lifecycle import Lifecycle
from longshore.jobs.models import Job
from longshore.jobs.queues import enqueue, request_discard
from longshore.jobs.statuses import Status

J = TypeVar("J", bound=Job)

# Time limit of deleting the files of earlier attempts before a retry: a client waits.
_CLEANING_SECONDS = 10


def create(lifecycle: Lifecycle[J], job: J) -> None:
    """Store a new job, and enqueue it if it is queued. Raises ApiError if it exceeds a quota."""
    quotas = lifecycle.quotas(job)
    with transaction.atomic():
        admission.lock(job.organization_id)
        create_locked(lifecycle, job, quotas)


def create_locked(lifecycle: Lifecycle[J], job: J, quotas: Quotas) -> None:
    """As `create`, in the caller's transaction, which holds the lock of the organization.

    Sends the message on commit.
    """
    job.organization_number = quotas.admit(is_new=True)
    if job.status == Status.REQUESTED:
        lifecycle.create(job)
        return
    # Stored in advance, which saves a statement and a commit. If this process dies before it sends
    # the message, recovery sends one, as for a lost message.
    job.enqueued_at = timezone.now()
    lifecycle.create(job)
    transaction.on_commit(lambda: enqueue(lifecycle.kind, job, is_marked=True))


def create_claimed(lifecycle: Lifecycle[J], job: J, quotas: Quotas) -> J:
    """As `create_locked`, but claim the job for this process, which runs it after the commit.

    If this process dies before the job has ended, recovery requeues it.
    """
    job.organization_number = quotas.admit(is_new=True)
    lifecycle.create(job)
    return lifecycle.claim_created(job)


def cancel(lifecycle: Lifecycle[J], job: J, reason: str = "") -> None:
    """Cancel an unfinished job. Idempotent. Raises ApiError if it ended otherwise.

    reason: who canceled it, as a sentence.
    """
    if lifecycle.cancel(job, reason):
        return
    job.refresh_from_db()
    if job.status != Status.CANCELED:
        raise not_cancelable(lifecycle.kind, job.status)


def _nothing() -> None:
    pass


def retry(lifecycle: Lifecycle[J], job: J, log: Callable[[], None] = _nothing) -> None:
    """Run an ended job again.

    log: called in the transaction that changes the job, such as to store an audit entry.
    Raises ApiError if the job has not ended, still has its files, cannot run again, has files of an
    earlier attempt that cannot be deleted within a few seconds, or would exceed a quota.
    """
    kind, organization_id = lifecycle.kind, job.organization_id
    if job.shown_status not in kind.retryable:
        raise not_retryable(kind, job.shown_status)
    lifecycle.check_retry(job)
    end = time.monotonic() + _CLEANING_SECONDS
    if job.expired and job.status == Status.COMPLETED:
        # Expired, but maintenance has not deleted its files yet.
        if not maintenance.succeeds(partial(maintenance.expire_one, lifecycle), job, end):
            raise ApiError(JobErrorCode.STORAGE_UNAVAILABLE)
        job.refresh_from_db()
    quotas = lifecycle.quotas(job)
    quotas.check()
    if not maintenance.succeeds(partial(maintenance.delete_all_attempts, lifecycle), job, end):
        raise ApiError(JobErrorCode.STORAGE_UNAVAILABLE)
    with transaction.atomic():
        admission.lock(organization_id)
        quotas.admit(is_new=False)
        if not lifecycle.restart(job):
            job.refresh_from_db()
            raise not_retryable(kind, job.status)
        log()
        transaction.on_commit(lambda: enqueue(kind, job))


def expire(lifecycle: Lifecycle[J], job: J, log: Callable[[], None] = _nothing) -> None:
    """End the retention of a completed job and delete its files; its row stays, as expired.

    log: as for `retry`.
    Files that the storage cannot delete within a few seconds are deleted by maintenance. Raises
    ApiError if the job is not completed.
    """
    with transaction.atomic():
        if not lifecycle.end_retention(job):
            job.refresh_from_db()
            raise _refusal(lifecycle.kind, job.shown_status, "expired", (Status.COMPLETED,))
        log()
    job.refresh_from_db()
    end = time.monotonic() + _CLEANING_SECONDS
    maintenance.succeeds(partial(maintenance.expire_one, lifecycle), job, end)


def delete(lifecycle: Lifecycle[J], job: J) -> None:
    """Soft-delete a job; a task deletes its files.

    Without a broker, the periodic task `expire` deletes them. Raises ApiError if another job needs
    the job.
    """
    lifecycle.delete(job)
    transaction.on_commit(lambda: request_discard(lifecycle.kind))


def not_cancelable(kind: JobKind[Any], status: str) -> ApiError:
    return _refusal(kind, status, "canceled", kind.unfinished)


def not_retryable(kind: JobKind[Any], status: str) -> ApiError:
    return _refusal(kind, status, "retried", kind.retryable)


def _refusal(kind: JobKind[Any], status: str, done: str, accepted: Iterable[Status]) -> ApiError:
    names = [str(each.value) for each in accepted]
    text = f"The {kind.name} is {status}; it can be {done} only if it is {' or '.join(names)}."
    return ApiError(ErrorCode.INVALID_STATUS, text, {"status": status, "accepted": names})
