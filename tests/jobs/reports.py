"""A third kind of job, as an app would define it: its models, its kind, and its work.

The fixture `reports` of `tests.jobs.conftest` creates its tables and registers it.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from math import inf
from pathlib import PurePath
from threading import Event
from typing import Any, ClassVar

from django.apps import AppConfig
from django.apps.registry import Apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import models
from django.utils import timezone

from exports.errors import ExportErrorCode
from longshore.accounts.models import ApiKey, Organization
from longshore.api.errors import ErrorCode
from longshore.jobs import actions
from longshore.jobs.kinds import FixedLimits, JobKind
from longshore.jobs.lifecycle import Lifecycle
from longshore.jobs.models import (
    Job,
    JobEvent,
    JobQuerySet,
    JobTurn,
    JobUsage,
    public_id_field,
)
from longshore.jobs.runner import JobRunner, Work
from longshore.jobs.statuses import Lane

# A registry of its own: organizations of other tests must not cascade to tables that do not exist.
APPS = Apps()
APPS.register_model("longshore_accounts", Organization)
APPS.register_model("longshore_accounts", ApiKey)
LIMITS = FixedLimits(unfinished=5, daily=None, seconds=60, stored_bytes=None)
RETENTION = timedelta(hours=1)


class Report(Job):
    """A file with one line per step.

    spec: `{"steps": number of steps, "seconds": duration of each, "failures": number of attempts
    that fail}`.
    """

    public_id = public_id_field("rep")

    # The type checker adds it to the models of installed apps only.
    objects: ClassVar[Any] = JobQuerySet.as_manager()

    class Meta(Job.Meta):
        apps = APPS
        app_label = "reports"


class ReportEvent(JobEvent):
    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="events")

    class Meta(JobEvent.Meta):
        apps = APPS
        app_label = "reports"


class ReportTurn(JobTurn):
    class Meta(JobTurn.Meta):
        apps = APPS
        app_label = "reports"


class ReportUsage(JobUsage):
    class Meta(JobUsage.Meta):
        apps = APPS
        app_label = "reports"


MODELS = (Report, ReportEvent, ReportTurn, ReportUsage)


class ReportsConfig(AppConfig):
    name = "tests.jobs"
    label = "reports"


def _install() -> None:
    """Add the app to its registry, so that Django finds the relations of its models."""
    config = ReportsConfig(ReportsConfig.name, sys.modules[ReportsConfig.name])
    config.apps = APPS
    config.import_models()
    APPS.app_configs[config.label] = config
    APPS.clear_cache()


_install()
REPORTS = JobKind(
    job=Report,
    event=ReportEvent,
    turn=ReportTurn,
    usage=ReportUsage,
    queues={Lane.LARGE: "reports_large", Lane.QUICK: "reports_quick"},
    limits=lambda organization_id: LIMITS,
    retention=lambda: RETENTION,
    record_retention=lambda: timedelta(days=1),
    unfinished_error=ExportErrorCode.TOO_MANY_EXPORTS,
)


class ReportLifecycle(Lifecycle[Report]):
    def clean(self, job: Report, end: float = inf) -> bool:
        for claim in job.claims:
            default_storage.delete(key_of(job, claim))
        return True

    def orphans(self, older_than: timedelta) -> Iterable[str]:
        known = {claim for report in self.kind.jobs for claim in report.claims}
        names = default_storage.listdir("reports")[1]
        return [f"reports/{name}" for name in names if PurePath(name).suffix[1:] not in known]


report_lifecycle = ReportLifecycle(REPORTS)


class InvalidReport(Exception):
    """The report cannot be written, however often it is retried."""


@dataclass
class Writing:
    """The work of one attempt."""

    report: Report
    rows: int = 0
    canceled: Event = field(default_factory=Event)

    def write(self) -> int:
        """Write the file and return its size. Raises as the spec says."""
        spec, attempt = self.report.spec, len(self.report.claims)
        if spec.get("invalid"):
            raise InvalidReport("The spec is invalid.")
        if attempt <= spec.get("failures", 0):
            raise ConnectionError("The source does not answer.")
        for _ in range(spec["steps"]):
            if self.canceled.wait(spec.get("seconds", 0)):
                raise InterruptedError
            self.rows += 1
        content = b"line\n" * self.rows
        default_storage.save(key_of(self.report, self.report.claims[-1]), ContentFile(content))
        return len(content)


class ReportRunner(JobRunner[Report, int]):
    failures: ClassVar = {InvalidReport: ErrorCode.INVALID_REQUEST}

    def prepare(self, job: Report) -> Work[int]:
        writing = Writing(job)
        seconds = job.spec.get("limit", LIMITS.seconds)
        return Work(writing.write, lambda: writing.rows, writing.canceled.set, seconds)

    def complete(self, job: Report, result: int) -> None:
        self.lifecycle.complete(job, rows=job.spec["steps"], stored_bytes=result)

    def clear(self, job: Report, claims: list[str]) -> None:
        for claim in claims:
            default_storage.delete(key_of(job, claim))


run = ReportRunner(report_lifecycle).run


def create(
    organization: Organization, lane: Lane = Lane.QUICK, steps: int = 3, **spec: Any
) -> Report:
    """Create a report and enqueue it. Raises ApiError if a limit is exceeded."""
    report = Report(
        organization=organization,
        resource="report",
        request={},
        spec={"steps": steps, **spec},
        lane=lane,
        records_count=steps,
        expires_at=timezone.now() + RETENTION,
    )
    actions.create(report_lifecycle, report)
    return report


def key_of(report: Report, claim: str) -> str:
    return f"reports/{report.public_id}.{claim}"
