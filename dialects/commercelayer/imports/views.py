"""`/api/imports`."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from batches.lifecycle import creation
from batches.lifecycle.creation import Source
from batches.lifecycle.representation import BatchSerializer
from batches.lifecycle.storage import BATCH_FILES
from batches.lifecycle.transitions import batch_lifecycle
from batches.models import Batch, BatchError, FileKind, Via
from dialects.commercelayer.documentation.operations import operations
from dialects.commercelayer.documents import Shown, read_attributes
from dialects.commercelayer.imports.rendering import (
    ATTRIBUTES,
    RELATIONSHIPS,
    TYPE,
    render_import,
)
from dialects.commercelayer.imports.requests import ATTRIBUTES as ACCEPTED
from dialects.commercelayer.imports.requests import ImportRequest, read_import
from dialects.commercelayer.jobs.rendering import STORED, job_columns
from dialects.commercelayer.jobs.views import JobDocumentViewSet
from dialects.commercelayer.queries import Kind, attribute, computed
from dialects.commercelayer.views import DocumentParser
from longshore.accounts.authentication import key_of
from longshore.api.concurrency import expensive
from longshore.api.idempotency import HEADER, idempotent
from longshore.resources.columns import ColumnType

_MAX_SHOWN_ERRORS = 100
KIND: Kind[Batch] = Kind(
    TYPE,
    Batch,
    (
        *job_columns(Batch),
        computed("format", "{row}.request ->> 'format'"),
        attribute(Batch, "failed_count", "errors_count"),
        computed("warnings_count", "jsonb_array_length({row}.warnings)", ColumnType.INTEGER),
    ),
    ATTRIBUTES,
    RELATIONSHIPS,
    RELATIONSHIPS,
    stored=STORED,
)


class _ExactParser(DocumentParser):
    """Refuses numbers that would be written with other digits."""

    keeps_digits = True


@extend_schema_view(
    **operations(
        KIND,
        "import",
        create="Queues an import, which creates records and updates those that exist. It is "
        "interrupted, and writes nothing, if more than a tenth of its records have errors, unless "
        "`skip_errors` is true.",
        update="Changes `reference`, `reference_origin` and `metadata`. `_interrupt` stops an "
        "import.",
        delete="Deletes an import with its input. The records that it has written stay.",
    )
)
class ImportViewSet(JobDocumentViewSet[Batch]):
    """The batches of the API key's organization."""

    kind = KIND
    queryset = Batch.objects.visible().prefetch_related("files")
    lookup_value_regex = r"batch_\w+"
    serializer_class = BatchSerializer
    lifecycle = batch_lifecycle
    parser_classes = (_ExactParser,)

    def render(self, shown: Mapping[str, Any], job: Batch) -> Shown:
        errors = BatchError.objects.filter(batch=job)[:_MAX_SHOWN_ERRORS]
        # In a list, they would take a query for each import.
        is_read = self.action != "list" and job.failed_count
        return render_import(shown, self._attachment_url(job), errors if is_read else ())

    @expensive(spare=1)
    def create(self, request: Request) -> HttpResponse:
        """Create an import. The input is stored before the transaction of an Idempotency-Key."""
        attributes = read_attributes(self.json_body(request), TYPE, ACCEPTED)
        parsed = read_import(attributes, self.organization)
        source = creation.store(
            self.organization,
            parsed.name,
            Via.API,
            [parsed.content],
            may_exist=HEADER in request.headers,
        )
        try:
            response = self._create(request, source, parsed)
        except BaseException:
            source.discard()
            raise
        if not response["Location"].endswith(source.public_id):
            # The response of an earlier request.
            source.discard()
        return response

    @idempotent
    def _create(self, request: Request, source: Source, parsed: ImportRequest) -> Response:
        batch, _ = creation.create(
            self.organization, key_of(request), parsed.body, parsed.spec, source
        )
        return self.respond(self.get_queryset().get(pk=batch.pk), status=201)

    def _attachment_url(self, batch: Batch) -> str | None:
        if batch.expired or not batch.has_files:
            return None
        uploads = (file for file in batch.files.all() if file.kind == FileKind.UPLOAD)
        return next((BATCH_FILES.url(file, self.request)[0] for file in uploads), None)
