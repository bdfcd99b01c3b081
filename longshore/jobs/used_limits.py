"""The limits of jobs in `GET /v1/limits`."""

from collections.abc import Iterator
from datetime import UTC, datetime

from django.utils.text import capfirst

from longshore.accounts.models import Organization
from longshore.api.limits import LimitUsage
from longshore.jobs import admission
from longshore.jobs.kinds import registered
from longshore.jobs.models import JobLimits


def used_limits(organization: Organization) -> Iterator[LimitUsage]:
    """Yield the limits of an organization for every kind of job."""
    for kind in registered():
        limits = kind.limits(organization.pk)
        used = admission.Quotas(kind, organization.pk, limits).used()
        declared = limits if isinstance(limits, JobLimits) else JobLimits
        for field in declared.limit_fields():
            is_daily = field.name == admission.DAILY
            yield LimitUsage(
                name=f"{kind.plural}.{field.name}",
                description=str(field.help_text or f"{capfirst(field.verbose_name)}."),
                unit=field.unit,
                limit=getattr(limits, field.name),
                used=used.get(field.name),
                resets_at=admission.next_day(datetime.now(UTC)) if is_daily else None,
            )
