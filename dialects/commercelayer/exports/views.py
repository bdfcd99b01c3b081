"""`/api/exports`."""

from collections.abc import Callable, Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from dialects.commercelayer.documentation.operations import operations
from dialects.commercelayer.documents import Shown, read_attributes
from dialects.commercelayer.exports import requests
from dialects.commercelayer.exports.rendering import (
    ATTRIBUTES,
    RELATIONSHIPS,
    TYPE,
    render_export,
)
from dialects.commercelayer.jobs.rendering import STORED, job_columns
from dialects.commercelayer.jobs.views import JobDocumentViewSet
from dialects.commercelayer.queries import Kind, attribute
from exports.lifecycle.representation import ExportSerializer
from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export
from longshore.accounts.authentication import key_of
from longshore.api.concurrency import expensive
from longshore.api.idempotency import idempotent
from longshore.jobs import actions

KIND: Kind[Export] = Kind(
    TYPE,
    Export,
    (*job_columns(Export), attribute(Export, "format"), attribute(Export, "records_count")),
    ATTRIBUTES,
    RELATIONSHIPS,
    RELATIONSHIPS,
    stored=STORED,
)


class _ExportSerializer(ExportSerializer):
    """The native representation, without the field that documents do not have."""

    omitted = ("warnings",)


@extend_schema_view(
    **operations(
        KIND,
        "export",
        create="Queues an export. `records_count` is known at once. Poll the export until `status` "
        "is `completed`, then fetch `attachment_url`, a gzip file; each read signs a new link.",
        update="Changes `reference`, `reference_origin` and `metadata`. `_interrupt` stops an "
        "export, `_start` restarts an interrupted one.",
        delete="Deletes an export with its file.",
    )
)
class ExportViewSet(JobDocumentViewSet[Export]):
    """The exports of the API key's organization."""

    kind = KIND
    # A spec, which no document shows, may have 256 KiB.
    queryset = Export.objects.visible().defer("spec").prefetch_related("files")
    lookup_value_regex = r"exp_\w+"
    serializer_class = _ExportSerializer
    lifecycle = export_lifecycle

    @property
    def triggers(self) -> Mapping[str, Callable[[Export], None]]:
        return {**super().triggers, "_start": self._start}

    def render(self, shown: Mapping[str, Any], job: Export) -> Shown:
        return render_export(shown, self.request)

    @expensive(spare=1)
    @idempotent
    def create(self, request: Request) -> Response:
        attributes = read_attributes(self.json_body(request), TYPE, requests.ATTRIBUTES)
        return self.respond(requests.create(key_of(request), attributes), status=201)

    def _start(self, export: Export) -> None:
        actions.retry(self.lifecycle, export)
