"""Batches in responses of the API and in webhook events."""

from typing import Any

from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from batches.lifecycle.deadlines import undo_deadline
from batches.lifecycle.storage import BATCH_FILES
from batches.lifecycle.upload_links import upload_link
from batches.models import Batch, BatchError, BatchEvent, BatchFile, FileKind
from batches.spec import JSON_FORMATS, InputFormat
from batches.staging import STATISTICS
from longshore.accounts.authentication import key_of
from longshore.accounts.models import Scope
from longshore.api.serializers import DateTimeField, ModelSerializer
from longshore.jobs.api.serializers import JobEventSerializer, JobSerializer
from longshore.jobs.statuses import Status

# Query parameters of a batch, and the files whose links they add.
LINKS: dict[str, tuple[FileKind, tuple[str, ...]]] = {
    "upload_csv": (FileKind.UPLOAD, (InputFormat.CSV,)),
    "upload_json": (FileKind.UPLOAD, JSON_FORMATS),
    "errors_csv": (FileKind.ERRORS, (InputFormat.CSV,)),
    "errors_json": (FileKind.ERRORS, JSON_FORMATS),
    "result_json": (FileKind.RESULT, JSON_FORMATS),
}

_PHASE = inline_serializer(
    "BatchPhase",
    {
        "name": serializers.ChoiceField(["parsing", "validation", "processing", "cleanup"]),
        "total": serializers.IntegerField(
            allow_null=True, help_text="Rows of the phase; null until they are counted."
        ),
        "processed": serializers.IntegerField(),
        "success": serializers.IntegerField(),
        "error": serializers.IntegerField(),
    },
    many=True,
)
_STATS = inline_serializer(
    "BatchStats",
    {name: serializers.IntegerField() for name in STATISTICS},
)
_UNDO = inline_serializer(
    "BatchUndoCounts",
    {
        "reversed": serializers.IntegerField(),
        "kept": serializers.IntegerField(
            help_text="Records that were not reversed: they were changed after the batch, or other "
            "records refer to them."
        ),
        "failed": serializers.IntegerField(help_text="Records that could not be restored."),
    },
    allow_null=True,
)
_INPUT = inline_serializer(
    "BatchInput",
    {
        "name": serializers.CharField(),
        "bytes": serializers.IntegerField(allow_null=True),
        "sha256": serializers.CharField(allow_null=True),
        "format": serializers.CharField(allow_null=True),
        "compression": serializers.CharField(allow_null=True),
        "encoding": serializers.CharField(allow_null=True),
        "delimiter": serializers.CharField(allow_null=True),
        "quote": serializers.CharField(allow_null=True),
        "mapping": serializers.DictField(
            child=serializers.CharField(allow_null=True),
            help_text="The column that each header sets; null if it is ignored.",
        ),
    },
    allow_null=True,
)
_UPLOAD = inline_serializer(
    "BatchUpload",
    {
        "url": serializers.URLField(),
        "method": serializers.CharField(),
        "headers": serializers.DictField(child=serializers.CharField()),
        "expires_at": serializers.DateTimeField(),
    },
    allow_null=True,
)


class BatchFileSerializer(ModelSerializer[BatchFile]):
    class Meta:
        model = BatchFile
        fields = ("kind", "name", "format", "rows", "bytes", "sha256")


class BatchEventSerializer(JobEventSerializer[BatchEvent]):
    """A change of the status of a batch."""

    class Meta(JobEventSerializer.Meta):
        model = BatchEvent


class BatchErrorSerializer(ModelSerializer[BatchError]):
    """An error of one row."""

    row = serializers.IntegerField(
        allow_null=True,
        help_text=(
            "Number of the record in the input, from 1. Null for a record that no row names: one "
            "that an `overwrite` or an undo keeps. Its key is the `value`."
        ),
    )
    column = serializers.CharField(
        help_text="Header or key of the input; empty for an error of the whole row."
    )

    class Meta:
        model = BatchError
        fields = ("row", "column", "value", "code", "message")


class BatchSerializer(JobSerializer[Batch]):
    """A batch. Values that are not known yet are null."""

    object_name = "batch"
    view_name = "batch-detail"

    number = serializers.IntegerField(
        source="organization_number", help_text="Number of the batch within its organization."
    )
    only = serializers.SerializerMethodField()
    phases = serializers.SerializerMethodField()
    stats = serializers.SerializerMethodField(help_text="Rows by outcome.")
    input = serializers.SerializerMethodField(help_text="The file, and how it is read.")
    files = BatchFileSerializer(many=True)
    upload = serializers.SerializerMethodField(
        help_text=(
            "Where to send the file, while `status` is `requested`. Null for API keys without the "
            "scope `write`."
        )
    )
    reverses = serializers.SerializerMethodField(help_text="The batch that this one undoes.")
    undo = serializers.SerializerMethodField(
        help_text="Records by outcome, if the batch undoes another one; null before it begins."
    )
    can_undo_until = serializers.SerializerMethodField()

    class Meta:
        model = Batch
        fields = (
            "id",
            "object",
            "number",
            "url",
            "resource",
            "action",
            "only",
            "mode",
            "via",
            "dry_run",
            "status",
            "reason",
            "created_at",
            "started_at",
            "completed_at",
            "expires_at",
            "estimated_completion",
            "records_count",
            "processed_count",
            "progress",
            "phases",
            "stats",
            "input",
            "files",
            "upload",
            "error",
            "warnings",
            "metadata",
            "reverses",
            "undo",
            "can_undo_until",
            "request",
        )

    def get_only(self, batch: Batch) -> str | None:
        only: str | None = batch.spec.get("only")
        return only

    @extend_schema_field(_PHASE)
    def get_phases(self, batch: Batch) -> list[dict[str, Any]]:
        return list(batch.phases)

    @extend_schema_field(_STATS)
    def get_stats(self, batch: Batch) -> dict[str, int]:
        return {name: getattr(batch, f"{name}_count") for name in STATISTICS}

    @extend_schema_field(_INPUT)
    def get_input(self, batch: Batch) -> dict[str, Any] | None:
        if batch.input_key is None:
            return None
        detected = ("format", "compression", "encoding", "delimiter", "quote")
        return {
            "name": batch.input_name,
            "bytes": batch.input_bytes,
            "sha256": batch.input_sha256 or None,
            **dict.fromkeys(detected),
            "mapping": {},
            **batch.detected,
        }

    @extend_schema_field(_UPLOAD)
    def get_upload(self, batch: Batch) -> dict[str, Any] | None:
        request = self.context.get("request")
        if batch.status != Status.REQUESTED or request is None:
            return None
        if Scope.WRITE.value not in key_of(request).scopes:
            # The link alone permits an upload, without an API key.
            return None
        link = upload_link(batch, request)
        if link is None:
            return None
        return {
            "url": link.url,
            "method": link.method,
            "headers": dict(link.headers),
            "expires_at": DateTimeField().to_representation(batch.expires_at),
        }

    def get_reverses(self, batch: Batch) -> str | None:
        reverses: str | None = batch.spec.get("reverses")
        return reverses

    @extend_schema_field(_UNDO)
    def get_undo(self, batch: Batch) -> dict[str, int] | None:
        counts: dict[str, int] | None = batch.undo_counts
        return counts

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_can_undo_until(self, batch: Batch) -> str | None:
        """Time until which `undo` is accepted.

        Null for dry runs, undo batches and batches that never started.
        """
        deadline = undo_deadline(batch)
        return DateTimeField().to_representation(deadline) if deadline else None

    def to_representation(self, batch: Batch) -> dict[str, Any]:
        """Add the links that the query of the request includes."""
        shown: dict[str, Any] = super().to_representation(batch)
        request = self.context.get("request")
        for name in self.context.get("links", ()):
            kind, formats = LINKS[name]
            files = (each for each in batch.files.all() if each.kind == kind)
            file = next((each for each in files if each.format in formats), None)
            shown[name] = BATCH_FILES.url(file, request)[0] if file else None
        return shown


class BatchEventDataSerializer(BatchSerializer):
    """A batch in events and webhooks, without the body of its request."""

    # The client that requested the batch has the link of the upload.
    omitted = ("request", "upload")
