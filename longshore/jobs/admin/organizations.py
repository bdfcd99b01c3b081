"""The section of an organization's page about one kind of job: its jobs, limits and usage."""

from datetime import UTC, datetime, time
from typing import Any

from django.db.models import Sum
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.text import capfirst

from longshore.accounts.admin.presentation import EMPTY, Table, table
from longshore.accounts.admin.sections import RecordList, Section, list_url
from longshore.accounts.models import Organization
from longshore.jobs.admin.limits import limit_text, limits_url
from longshore.jobs.admission import Quotas
from longshore.jobs.kinds import JobKind
from longshore.jobs.models import JobHour, JobLimits
from longshore.jobs.statuses import Status


class JobSection:
    """The list, tables and links of one kind of job. records: the list."""

    def __init__(self, kind: JobKind[Any], limits: type[JobLimits], records: RecordList) -> None:
        self.kind = kind
        self.limits = limits
        self.records = records
        self.options = kind.job._meta

    def section(self, order: int) -> Section:
        kind = self.kind
        return Section(kind.title, order, kind.job, self.tables, self.links, self.records)

    def tables(self, request: HttpRequest, organization: Organization) -> list[Table]:
        return [self._today(organization), self._limits(organization)]

    def links(self, request: HttpRequest, organization: Organization) -> list[tuple[str, str]]:
        page = f"{self.options.app_label}_{self.options.model_name}"
        links = [(f"All {self.kind.plural}", list_url(page, organization))]
        if url := limits_url(request, self.limits, organization.pk):
            links.append(("Change the limits", url))
        return links

    def _limits(self, organization: Organization) -> Table:
        own = self.limits._default_manager.filter(pk=organization.pk).first() or self.limits()
        applied = self.limits.applied_to(organization.pk)
        used = Quotas(self.kind, organization.pk, applied).used()
        rows = [
            [
                capfirst(field.verbose_name),
                limit_text(field, getattr(applied, field.name)),
                "Default" if getattr(own, field.name) is None else "This organization",
                limit_text(field, used[field.name]) if field.name in used else EMPTY,
            ]
            for field in self.limits.limit_fields()
        ]
        return table("Limits", ["Limit", "Applies now", "Set by", "Used"], rows)

    def _today(self, organization: Organization) -> Table:
        """Return what the jobs completed since midnight, in UTC as the daily limit, have made."""
        midnight = datetime.combine(datetime.now(UTC).date(), time(), UTC)
        # Not from the jobs: those that have expired have no files, and some were never processed.
        hours = JobHour.objects.filter(organization=organization, kind=self.kind.name)
        totals = hours.filter(status=Status.COMPLETED, hour__gte=midnight).aggregate(
            jobs=Sum("jobs"), rows=Sum("rows"), bytes=Sum("bytes")
        )
        row = [
            f"{totals['jobs'] or 0:,}",
            f"{totals['rows'] or 0:,}",
            filesizeformat(totals["bytes"] or 0),
        ]
        return table("Completed today (UTC)", [self.kind.title, "Rows", "Data"], [row])
