"""The section of an organization's page about batches."""

from batches.lifecycle.transitions import BATCHES
from batches.models import BatchLimits
from longshore.accounts.admin.sections import register
from longshore.jobs.admin.organizations import JobSection

register(JobSection(BATCHES, BatchLimits).section(20))
