"""Abstract tables of a kind of job, and the tables that all kinds share.

A kind of job declares one concrete model for each abstract one that it needs. The default manager
of its job model comes from a subclass of `JobQuerySet`. Its event and file models have a foreign
key to the job that is named like the job's model in lower case: `export` for `Export`. Names of
indexes and constraints begin with the name of the concrete model, which has at most 14 letters.
"""

from longshore.jobs.models.job import (
    MAX_EVENTS,
    Job,
    JobEvent,
    JobFile,
    JobQuerySet,
    JobTurn,
    admin_index,
    known_statuses,
    list_index,
    public_id_field,
)
from longshore.jobs.models.search import JobSearch
from longshore.jobs.models.shared import DiscardedFolder, JobCount, JobHour, JobTotal
from longshore.jobs.models.usage import JobLimits, JobUsage, optional_limit, required_limit

__all__ = [
    "MAX_EVENTS",
    "DiscardedFolder",
    "Job",
    "JobCount",
    "JobEvent",
    "JobFile",
    "JobHour",
    "JobLimits",
    "JobQuerySet",
    "JobSearch",
    "JobTotal",
    "JobTurn",
    "JobUsage",
    "admin_index",
    "known_statuses",
    "list_index",
    "optional_limit",
    "public_id_field",
    "required_limit",
]
