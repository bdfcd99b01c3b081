"""The section of an organization's page about exports."""

from exports.admin.exports import ExportAdmin
from exports.lifecycle.transitions import EXPORTS
from exports.models import ExportLimits
from longshore.accounts.admin.sections import RecordList, register
from longshore.jobs.admin.organizations import JobSection

_JOBS = RecordList(
    ExportAdmin,
    ("own_id", "resource_and_format", "state", "progress_bar", "size", "created"),
)
register(JobSection(EXPORTS, ExportLimits, _JOBS).section(10))
