"""`/v1/exports`: the viewset of exports, and the files behind signed links."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, cast

from django.db import Error as DatabaseError
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from exports.api import documentation, errors, waiting
from exports.api.filters import list_filters
from exports.api.serializers import ExportTypeSerializer
from exports.execution.manifest import manifest as build_manifest
from exports.execution.preview import preview as build_preview
from exports.formats.base import FormatLimit
from exports.lifecycle import creation
from exports.lifecycle.representation import (
    ExportEventSerializer,
    ExportSerializer,
)
from exports.lifecycle.storage import EXPORT_FILES
from exports.lifecycle.transitions import export_lifecycle, readable_spec
from exports.models import Export, ExportQuerySet
from exports.request.body import EXPORT_BODY
from exports.request.parser import parse_export
from exports.sql.declared_names import resources_of
from longshore.accounts.authentication import key_of
from longshore.accounts.models import Scope
from longshore.api.concurrency import expensive
from longshore.api.idempotency import REPLAYED
from longshore.api.pagination import single_page
from longshore.jobs.api.files import SignedFileView, SignedZipView, zip_link
from longshore.jobs.api.views import JobViewSet
from longshore.jobs.models import JobQuerySet
from longshore.resources.export_types import export_types
from longshore.resources.readers import check_key

logger = logging.getLogger(__name__)


@extend_schema_view(**documentation.exports)
class ExportViewSet(JobViewSet[Export]):
    """The exports of the API key's organization."""

    queryset = Export.objects.visible().prefetch_related("files")
    lookup_value_regex = r"exp_\w+"
    serializer_class = ExportSerializer
    event_serializer_class = ExportEventSerializer
    lifecycle = export_lifecycle
    # Whether the creation may wait until the export has ended.
    may_wait = True

    def create(self, request: Request) -> HttpResponse:
        """Create an export. If the request waits, show the export as it is at the end of the wait.

        So does a request that is repeated with its Idempotency-Key. The wait begins after the
        creation, so that it holds neither a transaction nor a slot of the organization.
        """
        wait = waiting.parse_wait(request) if self.may_wait else None
        response = super().create(request)
        if wait is None:
            return response
        try:
            return self._shown_after(wait, response)
        except DatabaseError as error:
            # The export exists: an error would make the client create another one.
            logger.warning("Waiting for an export failed: %s", error)
            return response

    def _shown_after(self, wait: waiting.Wait, response: HttpResponse) -> HttpResponse:
        """Wait, then return the response with the export as it is; as it was, if it was deleted."""
        public_id = response["Location"].rstrip("/").rpartition("/")[2]
        exports = self.get_queryset().filter(public_id=public_id)
        with waiting.hold_place(self.organization.pk) as has_place:
            if has_place:
                waiting.wait_for_end(exports, wait.deadline)
        export = exports.first()
        if export is None:
            return response
        shown = self.created(export, is_new=response.status_code == status.HTTP_201_CREATED)
        if REPLAYED in response:
            shown[REPLAYED] = response[REPLAYED]
        if has_place and wait.preference:
            shown[waiting.APPLIED] = wait.preference
        return shown

    def create_job(self, body: Mapping[str, Any]) -> tuple[Export, bool]:
        organization, body = self.organization, EXPORT_BODY.canonical(body)
        spec = parse_export(body, organization.timezone)
        return creation.create(
            organization,
            key_of(self.request),
            body,
            spec,
            dedupe=body.get("dedupe") is True,
        )

    def filter_choices(self) -> Mapping[str, Sequence[str]]:
        return list_filters()

    def filter_jobs(
        self, jobs: JobQuerySet[Export], filters: Mapping[str, Sequence[str]]
    ) -> JobQuerySet[Export]:
        filters = dict(filters)
        if types := filters.pop("type", None):
            jobs = cast("ExportQuerySet", jobs).of_types(types)
        return super().filter_jobs(jobs, filters)

    # The preview is a POST, but it only reads.
    @action(detail=False, methods=["post"], required_scope=Scope.READ, may_compress=True)
    @expensive(spare=1)
    def preview(self, request: Request) -> HttpResponse:
        spec = parse_export(self.json_body(request), self.organization.timezone)
        check_key(resources_of(spec), key_of(request))
        try:
            found = build_preview(spec, self.organization.pk)
        except FormatLimit as limit:
            raise errors.format_limit(limit) from None
        # PostgreSQL wrote the JSON of the rows: it is copied without being parsed.
        rows = f"[{','.join(found.rows)}]"
        texts = {
            name: rows if name == "rows" else json.dumps(getattr(found, name))
            for name in (field.name for field in fields(found))
        }
        body = ",".join(f'"{name}":{text}' for name, text in texts.items())
        return HttpResponse(f"{{{body}}}", content_type="application/json")

    @action(detail=False, may_compress=True)
    def types(self, request: Request) -> Response:
        return Response(
            single_page([ExportTypeSerializer(each).data for each in export_types.declared])
        )

    @action(detail=True)
    def download(self, request: Request, public_id: str) -> Response:
        files = []
        for file in self.get_completed().files.all():
            url, expires_at = EXPORT_FILES.url(file, request)
            files.append({"name": file.name, "url": url})
        return Response({"url": files[0]["url"], "expires_at": expires_at, "files": files})

    @action(detail=True)
    def zip(self, request: Request, public_id: str) -> Response:
        return Response(zip_link(EXPORT_FILES, self.get_completed(), request))

    @action(detail=True)
    def manifest(self, request: Request, public_id: str) -> Response:
        export = self.get_completed()
        return Response(build_manifest(export, readable_spec(export), export.files.defer(None)))

    def get_completed(self) -> Export:
        """Return an export whose files exist. Raises ApiError."""
        export = self.get_object()
        errors.refuse_without_files(export)
        return export


class ExportFileView(SignedFileView):
    """The files of exports."""

    links = EXPORT_FILES

    @documentation.get_file
    def get(self, request: Request, name: str) -> HttpResponseBase:
        return self.serve(request)


class ExportZipView(SignedZipView):
    """All files of an export."""

    links = EXPORT_FILES

    @documentation.get_zip
    def get(self, request: Request, name: str) -> HttpResponseBase:
        return self.serve(request)
