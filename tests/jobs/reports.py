"""A third kind of job, as an app would define it: its models, its kind, and its work.

The fixture `reports` of `tests.jobs.conftest` creates its tables and registers it.
"""

import sys
import time
from dataclasses import dataclass, field
from datetime import timedelta
from math import inf
from threading import Event
from typing import Any, ClassVar

from django.apps import AppConfig
from django.apps.registry import Apps
from django.core.files.base import ContentFile
from django.db import models, transaction

from longshore.accounts.models import ApiKey, Organization
from longshore.api.errors import ErrorCode
from longshore.files.storage import file_storage
from longshore.jobs import actions
from longshore.jobs.kinds import FixedLimits, JobKind
from longshore.jobs.lifecycle import Lifecycle
from longshore.jobs.models import (
    Job,
    JobEvent,
    JobQuerySet,
    JobTurn,
    JobUsage,
    known_statuses,
    public_id_field,
)
from longshore.jobs.runner import JobRunner, Work
from longshore.jobs.statuses import Lane, Status
from longshore.jobs.storage import JobStorage

# A registry of its own: organizations of other tests must not cascade to tables that do not exist.
APPS = Apps()
APPS.register_model("longshore_accounts", Organization)
APPS.register_model("longshore_accounts", ApiKey)
# In the place of an attempt's token.
_INPUT = "input"
LIMITS = FixedLimits(unfinished=5, daily=None, seconds=60, stored_bytes=None)
RETENTION = timedelta(hours=1)


class Report(Job):
    """A file with one line per step.

    spec: `{"steps": number of steps, "seconds": duration of each, "failures": number of attempts
    that fail}`.
    """

    public_id = public_id_field("rep")
    # The name of a column of `JobTotal`.
    rows = models.IntegerField(default=0)

    # The type checker adds it to the models of installed apps only.
    objects: ClassVar[Any] = JobQuerySet.as_manager()

    class Meta(Job.Meta):
        apps = APPS
        app_label = "reports"
        constraints: ClassVar = [*Job.Meta.constraints, known_statuses(Status)]


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


class ReportStorage(JobStorage[Report]):
    def input_key(self, report: Report) -> str:
        return f"{self.job_folder(report.organization_id, report.public_id)}/{_INPUT}/data"

    def known_folders(self, organization_id: str) -> set[str]:
        return {_INPUT, *super().known_folders(organization_id)}


REPORT_STORAGE = ReportStorage("reports", Report)
REPORTS = JobKind(
    job=Report,
    event=ReportEvent,
    turn=ReportTurn,
    usage=ReportUsage,
    plural="reports",
    queues={Lane.LARGE: "reports_large", Lane.QUICK: "reports_quick"},
    limits=lambda organization_id: LIMITS,
    retention=lambda: RETENTION,
    record_retention=lambda: timedelta(days=1),
    # An existing code: a new one would be registered for all tests of this process.
    unfinished_error=ErrorCode.TOO_MANY_REQUESTS,
    storage=REPORT_STORAGE,
)


class ReportLifecycle(Lifecycle[Report]):
    def delete_files(self, job: Report, deadline: float = inf) -> bool:
        return REPORT_STORAGE.delete_files(job, deadline)


report_lifecycle = ReportLifecycle(REPORTS)


class InvalidReport(Exception):
    """The report cannot be written, however often it is retried."""


@dataclass
class Writing:
    """The work of one attempt. `complete` takes `spec["complete_seconds"]`."""

    report: Report
    rows: int = 0
    canceled: Event = field(default_factory=Event)

    def write(self) -> int:
        """Write the file and return its size. Raises as the spec says."""
        spec, attempt = self.report.spec, len(self.report.claims)
        if spec.get("invalid"):
            raise InvalidReport("The spec is invalid.")
        if attempt <= spec.get("failures", 0):
            raise ConnectionError("The source does not respond.")
        for _ in range(spec["steps"]):
            if self.canceled.wait(spec.get("seconds", 0)):
                raise InterruptedError
            self.rows += 1
        content = b"line\n" * self.rows
        file_storage.save(key_of(self.report, self.report.claims[-1]), ContentFile(content))
        return len(content)


class ReportRunner(JobRunner[Report, int]):
    permanent_errors: ClassVar = {InvalidReport: ErrorCode.INVALID_REQUEST}

    def prepare(self, job: Report) -> Work[int]:
        writing = Writing(job)
        seconds = job.spec.get("limit", LIMITS.seconds)
        return Work(writing.write, lambda: writing.rows, writing.canceled.set, seconds)

    def complete(self, job: Report, result: int) -> None:
        with transaction.atomic():
            time.sleep(job.spec.get("complete_seconds", 0))
            self.lifecycle.complete(job, rows=job.spec["steps"], stored_bytes=result)


run = ReportRunner(report_lifecycle).run


def create(
    organization: Organization, lane: Lane = Lane.QUICK, steps: int = 3, **spec: Any
) -> Report:
    """Create a report and enqueue it. Raises ApiError if a limit is exceeded."""
    return _create(organization, Status.QUEUED, lane, {"steps": steps, **spec})


def request(organization: Organization, steps: int = 3) -> Report:
    """Create a report that waits for its input. Raises ApiError if a limit is exceeded."""
    return _create(organization, Status.REQUESTED, Lane.QUICK, {"steps": steps})


def upload(report: Report) -> str:
    """Store the input of a report. Returns its key."""
    Report.objects.filter(pk=report.pk).update(has_files=True)
    key: str = file_storage.save(REPORT_STORAGE.input_key(report), ContentFile(b"input"))
    return key


def _create(organization: Organization, status: Status, lane: Lane, spec: dict[str, Any]) -> Report:
    report = Report(
        organization=organization,
        resource="report",
        request={},
        spec=spec,
        status=status,
        lane=lane,
        records_count=spec["steps"],
    )
    actions.create(report_lifecycle, report)
    return report


def key_of(report: Report, claim: str) -> str:
    return f"{REPORT_STORAGE.attempt_folder(report, claim)}/lines"
