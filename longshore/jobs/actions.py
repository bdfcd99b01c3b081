"""The actions of clients and staff on an existing job: cancel, retry, delete."""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import transaction

from longshore.api.errors import ApiError, ErrorCode
from longshore.jobs import admission, maintenance
from longshore.jobs.errors import JobErrorCode
from longshore.jobs.kinds import JobKind
from longshore.jobs.lifecycle import Lifecycle
from longshore.jobs.models import Job
from longshore.jobs.queues import enqueue, request_discard
from longshore.jobs.statuses import RETRYABLE, UNFINISHED, Status

J = TypeVar("J", bound=Job)


def cancel(lifecycle: Lifecycle[J], job: J) -> None:
    """Cancel a queued or running job. Idempotent. Raises ApiError if it ended otherwise."""
    if lifecycle.cancel(job):
        return
    job.refresh_from_db()
    if job.status != Status.CANCELED:
        raise not_cancelable(lifecycle.kind, job.status)


def retry(lifecycle: Lifecycle[J], job: J) -> None:
    """Run an ended job again.

    Raises ApiError if the job has not ended, still has its files, has files of an earlier attempt
    that cannot be deleted, or would exceed a quota.
    """
    kind, organization_id = lifecycle.kind, job.organization_id
    if job.expired and job.status == Status.COMPLETED:
        # Expired, but maintenance has not deleted its files yet.
        maintenance.expire_one(lifecycle, job)
        job.refresh_from_db()
    if job.status not in RETRYABLE:
        raise not_retryable(kind, job.status)
    quotas = admission.quotas(kind, organization_id, kind.limits(organization_id))
    admission.check(organization_id, quotas)
    if not lifecycle.clean(job):
        raise ApiError(JobErrorCode.STORAGE_UNAVAILABLE)
    with transaction.atomic():
        admission.lock(organization_id)
        admission.admit(kind, organization_id, quotas, is_new=False)
        if not lifecycle.restart(job):
            job.refresh_from_db()
            raise not_retryable(kind, job.status)
        transaction.on_commit(lambda: enqueue(kind, job))


def delete(lifecycle: Lifecycle[J], job: J) -> None:
    """Soft-delete a job; a task deletes its files.

    Without a broker, the periodic task `expire` deletes them.
    """
    lifecycle.delete(job)
    transaction.on_commit(lambda: request_discard(lifecycle.kind))


def not_cancelable(kind: JobKind[Any], status: str) -> ApiError:
    return _refusal(kind, status, "canceled", UNFINISHED)


def not_retryable(kind: JobKind[Any], status: str) -> ApiError:
    return _refusal(kind, status, "retried", RETRYABLE)


def _refusal(kind: JobKind[Any], status: str, done: str, accepted: Iterable[Status]) -> ApiError:
    names = [str(each.value) for each in accepted]
    text = f"The {kind.name} is {status}; it can be {done} only if it is {' or '.join(names)}."
    return ApiError(ErrorCode.INVALID_STATUS, text, {"status": status, "accepted": names})
