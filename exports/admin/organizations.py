"""The section of an organization's page about exports."""

from exports.lifecycle.transitions import EXPORTS
from exports.models import ExportLimits
from longshore.accounts.admin.sections import register
from longshore.jobs.admin.organizations import JobSection

register(JobSection(EXPORTS, ExportLimits).section(10))
