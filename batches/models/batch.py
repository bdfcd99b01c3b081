"""The tables of batches as jobs: batches, events, files, limits."""

from datetime import datetime
from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.fields.json import KT

from batches.spec import Action, BatchSpec, Mode
from longshore.database.fields import OrderedJSONField
from longshore.jobs.models import (
    Job,
    JobEvent,
    JobFile,
    JobLimits,
    JobQuerySet,
    JobSearch,
    JobTurn,
    JobUsage,
    admin_index,
    known_statuses,
    list_index,
    optional_limit,
    public_id_field,
)
from longshore.jobs.statuses import Status

STATUSES = tuple(Status)


class Via(models.TextChoices):
    """How the input arrived: in the body of the request, or as a file."""

    API = "api"
    FILE = "file"


class FileKind(models.TextChoices):
    """A file of a batch.

    UPLOAD: the input. FAILED: the rows with errors, in the input's format, with a column `_errors`.
    UNPROCESSED: the rows that were not read or written because the batch was stopped.
    ERRORS: all errors. RESULT: what became of each row.
    """

    UPLOAD = "upload"
    FAILED = "failed"
    UNPROCESSED = "unprocessed"
    ERRORS = "errors"
    RESULT = "result"


class BatchQuerySet(JobQuerySet["Batch"]):
    """Queries of batches."""


class Batch(Job):
    """A request to create, update, replace or delete records.

    phases: for each phase that has begun, `{"name", "total", "processed", "success", "error"}`.
    created_count … failed_count: rows by outcome; 0 until they are known.
    input_key, input_name, input_bytes, input_sha256: the stored input; null without one. The
        checksum identifies equal uploads.
    detected: how the input was read: format, compression, encoding, delimiter, mapping, …
    warnings: sentences about parts of the input that were not used.
    reverses: the batch that this one undoes.
    checked_by: the dry run whose changes this batch writes, if the staff started it from there.
    is_draft: whether the staff have not decided yet how the input is read. The arrival of the input
        does not queue a draft.
    undone_at: when the first undo of this batch was created; the undo itself may be deleted.
    undo_counts: the records of an undo by outcome: `reversed`, `kept` and `failed`; null for other
        batches, and until an undo begins.
    reason: why the batch has its final status, as a sentence; empty until then.
    """

    public_id = public_id_field("batch")
    action = models.CharField(max_length=20, choices=[(each, each) for each in Action])
    mode = models.CharField(max_length=20, choices=[(each, each) for each in Mode])
    via = models.CharField(max_length=20, choices=Via.choices)
    dry_run = models.BooleanField(default=False)
    phases = models.JSONField(default=list)
    created_count = models.PositiveBigIntegerField(default=0)
    updated_count = models.PositiveBigIntegerField(default=0)
    unchanged_count = models.PositiveBigIntegerField(default=0)
    deleted_count = models.PositiveBigIntegerField(default=0)
    failed_count = models.PositiveBigIntegerField(default=0)
    input_key = models.CharField(max_length=255, null=True)  # noqa: DJ001
    input_name = models.CharField(max_length=255, blank=True)
    input_bytes = models.PositiveBigIntegerField(null=True)
    input_sha256 = models.CharField(max_length=64, blank=True)
    detected = OrderedJSONField(default=dict)
    warnings = models.JSONField(default=list)
    reason = models.TextField(blank=True)
    reverses = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="reversals"
    )
    checked_by = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="runs"
    )
    is_draft = models.BooleanField(default=False)
    undone_at = models.DateTimeField(null=True)
    undo_counts = models.JSONField(null=True)

    objects = BatchQuerySet.as_manager()

    class Meta(Job.Meta):
        verbose_name_plural = "batches"
        permissions = (
            ("download_batch", "Can download the files of batches"),
            ("preview_batch", "Can preview the rows of batches"),
        )
        indexes: ClassVar = [
            *Job.Meta.indexes,
            list_index("batch_by_mode", "mode"),
            list_index("batch_by_via", "via"),
            models.Index(fields=("organization", "input_sha256"), name="batch_by_checksum"),
            # The admin's filters are not limited to one organization.
            admin_index("batch_admin_action", "action"),
            models.Index(
                KT("detected__format"),
                models.F("number").desc(),
                name="batch_admin_format",
                condition=models.Q(deleted_at__isnull=True),
            ),
        ]
        constraints: ClassVar = [*Job.Meta.constraints, known_statuses(STATUSES)]

    @property
    def progress(self) -> int:
        """Percent of the work that is done; 100 only after completion."""
        if self.status in (Status.COMPLETED, Status.EXPIRED):
            return super().progress
        # Each phase takes about the same time. The total of parsing is not known until its end.
        # An undo only writes, a dry run does not.
        phases = 4 if self.action == Action.OVERWRITE else 3
        if self.reverses_id is not None:
            phases = 1
        elif self.dry_run:
            phases = 2
        done = sum(
            min(1, phase["processed"] / phase["total"]) if phase["total"] else 0
            for phase in self.phases
        )
        return min(99, int(100 * done / phases))

    def estimate(self, rows: int, now: datetime) -> datetime | None:
        """Return the expected end of a running batch, from its progress so far."""
        if not (self.started_at and self.progress):
            return self.estimated_completion
        return now + (now - self.started_at) * (100 / self.progress - 1)

    def parsed_spec(self) -> BatchSpec:
        """Return the validated request. Raises UnsupportedVersion."""
        return BatchSpec.from_json(self.spec)


class BatchEvent(JobEvent):
    """A change of a batch's status."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="events")

    class Meta(JobEvent.Meta):
        pass


class BatchFile(JobFile):
    """A file that clients can download: the input, or a file that an attempt wrote."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="files")
    kind = models.CharField(max_length=20, choices=FileKind.choices)
    format = models.CharField(max_length=20)

    class Meta(JobFile.Meta):
        indexes: ClassVar = [
            GinIndex(fields=["name"], opclasses=["gin_trgm_ops"], name="batchfile_name")
        ]


class BatchSearch(JobSearch):
    """The text by which the staff finds a batch."""

    class Meta(JobSearch.Meta):
        pass


class BatchTurn(JobTurn):
    """When a worker last claimed a batch of an organization in a lane."""

    class Meta(JobTurn.Meta):
        pass


class BatchUsage(JobUsage):
    """Batches that an organization created or retried."""


class BatchLimits(JobLimits):
    """Limits of one organization's batches that differ from the settings."""

    settings_prefix = "BATCH_"

    records = optional_limit("MAX_RECORDS", "records per batch")
    bytes = optional_limit(
        "MAX_BYTES", "bytes per input", "Size of the input as it is uploaded.", unit="bytes"
    )

    class Meta(JobLimits.Meta):
        verbose_name = verbose_name_plural = "batch limits"
