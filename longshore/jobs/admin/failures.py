"""Why a job failed, and what the staff can do about it.

Each kind of job has one table of its codes. The message of a failure has the numbers; the table
adds what the code means and the next step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from longshore.api.errors import ErrorCode
from longshore.jobs.errors import JobErrorCode
from longshore.jobs.models import Job


class Step(StrEnum):
    """A button below the explanation of a failure.

    LIMITS: opens the limits of the organization. DUPLICATE: opens a form with the same request.
    RETRY: opens the dialog that retries the job. ERRORS: lists the errors of the rows.
    """

    LIMITS = "limits"
    DUPLICATE = "duplicate"
    RETRY = "retry"
    ERRORS = "errors"


@dataclass(frozen=True)
class Advice:
    """meaning, next_step: one sentence each. steps: buttons, the most useful one first."""

    meaning: str
    next_step: str
    steps: tuple[Step, ...] = ()


# For a code that a later version has removed.
UNKNOWN = Advice(
    "An earlier version of Longshore stored this failure.",
    "Retry the job; if it fails again, look for its id in the log of the worker.",
    (Step.RETRY,),
)


def common_failures(plural: str) -> dict[str, Advice]:
    """Return the table of the codes that mean the same for each kind of job."""
    return {
        JobErrorCode.STORAGE_QUOTA_EXCEEDED: Advice(
            f"The files of all {plural} of the organization together reach its storage quota.",
            f"Raise the quota, or expire {plural} whose files are not needed any more, then retry.",
            (Step.LIMITS, Step.RETRY),
        ),
        JobErrorCode.DAILY_QUOTA_EXCEEDED: Advice(
            f"The organization has reached its daily limit of {plural}.",
            "Raise the daily limit, or retry tomorrow (UTC).",
            (Step.LIMITS, Step.RETRY),
        ),
        JobErrorCode.INVALID_DECLARATION: Advice(
            "The resource declares a column, table or function that the database does not have.",
            "Run manage.py check --database default, correct the declaration, and retry.",
            (Step.RETRY,),
        ),
        JobErrorCode.STORAGE_UNAVAILABLE: Advice(
            "The file storage did not respond.",
            "Retry when the storage works again; /readyz shows its state.",
            (Step.RETRY,),
        ),
        ErrorCode.INTERNAL_ERROR: Advice(
            "Every attempt ended unexpectedly. The cause is not in the request.",
            "Look for the id of the job in the log of the worker, remove the cause, then retry.",
            (Step.RETRY,),
        ),
    }


def advice(job: Job, table: Mapping[str, Advice]) -> Advice | None:
    """Return the advice for the failure of a job; None if it did not fail."""
    if not job.error:
        return None
    return table.get(job.error["error"], UNKNOWN)
