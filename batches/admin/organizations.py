"""The section of an organization's page about batches."""

from batches.admin.batches import BatchAdmin
from batches.lifecycle.transitions import BATCHES
from batches.models import BatchLimits
from longshore.accounts.admin.sections import RecordList, register
from longshore.jobs.admin.organizations import JobSection

_JOBS = RecordList(
    BatchAdmin,
    ("own_id", "resource_and_action", "state", "progress_bar", "requester", "created"),
)
register(JobSection(BATCHES, BatchLimits, _JOBS).section(20))
