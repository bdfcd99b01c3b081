"""Claims jobs as a worker does whose number of slots is not limited."""

from typing import TypeVar

from longshore.jobs.lifecycle import Lifecycle
from longshore.jobs.models import Job
from longshore.jobs.statuses import Lane

J = TypeVar("J", bound=Job)


def claim(lifecycle: Lifecycle[J], job: J) -> J | None:
    """Claim the job whose turn it is in the lane of a job, on a message for that job."""
    return lifecycle.claim(job.pk, Lane(job.lane), slots=0)
