"""`/v1/exports`: the viewset of exports, and the files behind signed links."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

from django.db.models.fields.json import KT
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from drf_spectacular.utils import extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from exports.api import documentation, errors
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
from exports.lifecycle.storage import open_signed, signed_url
from exports.lifecycle.transitions import export_lifecycle, readable_spec
from exports.models import Export, ExportFile, Status
from exports.request.parser import parse_export
from longshore.accounts.authentication import key_of
from longshore.accounts.models import Scope
from longshore.api.admission import expensive
from longshore.api.errors import ApiError, ErrorCode
from longshore.api.views import ApiView
from longshore.files.ranges import FileRange, RangeNotSatisfiable, parse_range
from longshore.files.signed_links import InvalidLink
from longshore.jobs.api.views import JobViewSet
from longshore.jobs.models import JobQuerySet
from longshore.resources.export_types import export_types


@extend_schema_view(**documentation.exports)
class ExportViewSet(JobViewSet[Export]):
    """The exports of the API key's organization."""

    queryset = Export.objects.visible().prefetch_related("files")
    lookup_value_regex = r"exp_\w+"
    serializer_class = ExportSerializer
    event_serializer_class = ExportEventSerializer
    lifecycle = export_lifecycle

    def create_job(self, body: Mapping[str, Any]) -> tuple[Export, bool]:
        organization = self.organization
        spec = parse_export(body, organization.timezone)
        created = creation.create(
            organization,
            key_of(self.request),
            body,
            spec,
            dedupe=body.get("dedupe") is True,
        )
        return created.export, created.created

    def filter_choices(self) -> Mapping[str, Sequence[str]]:
        return list_filters()

    def filter_jobs(
        self, jobs: JobQuerySet[Export], filters: Mapping[str, Sequence[str]]
    ) -> JobQuerySet[Export]:
        filters = dict(filters)
        if types := filters.pop("type", None):
            named = jobs.alias(type=KT("request__type")).filter(type__in=types)
            jobs = cast("JobQuerySet[Export]", named)
        return super().filter_jobs(jobs, filters)

    # The preview is a POST, but it only reads.
    @action(detail=False, methods=["post"], required_scope=Scope.READ)
    @expensive(spare=1)
    def preview(self, request: Request) -> HttpResponse:
        spec = parse_export(self.json_body(request), self.organization.timezone)
        try:
            found = build_preview(spec, self.organization.pk)
        except FormatLimit as limit:
            raise errors.format_limit(limit) from None
        # PostgreSQL wrote the JSON of the rows: it is copied without being parsed.
        fields = {name: json.dumps(value) for name, value in asdict(found).items()}
        fields["rows"] = f"[{','.join(found.rows)}]"
        body = ",".join(f'"{name}":{text}' for name, text in fields.items())
        return HttpResponse(f"{{{body}}}", content_type="application/json")

    @action(detail=False)
    def types(self, request: Request) -> Response:
        return self.single_page([ExportTypeSerializer(each).data for each in export_types.declared])

    @action(detail=True)
    def download(self, request: Request, public_id: str) -> Response:
        files = []
        for file in self.get_completed().files.all():
            url, expires_at = signed_url(file, request)
            files.append({"name": file.name, "url": url})
        return Response({"url": files[0]["url"], "expires_at": expires_at, "files": files})

    @action(detail=True)
    def manifest(self, request: Request, public_id: str) -> Response:
        export = self.get_completed()
        return Response(build_manifest(export, readable_spec(export), export.files.all()))

    def get_completed(self) -> Export:
        """Return an export whose files exist. Raises ApiError."""
        export = self.get_object()
        if export.expired:
            raise errors.files_expired(export)
        if export.status != Status.COMPLETED:
            raise errors.not_ready(export)
        return export


class FileNegotiation(BaseContentNegotiation):
    """Ignore the Accept header: a file has one media type."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        return renderers[0], renderers[0].media_type


def _etag(file: ExportFile) -> str:
    return f'"{file.sha256}"'


def _range(request: Request, file: ExportFile) -> str:
    """Return the Range header, or "" if If-Range names another version of the file."""
    condition = request.headers.get("If-Range", _etag(file))
    return request.headers.get("Range", "") if condition == _etag(file) else ""


class SignedFileView(ApiView):
    """The bytes behind a signed link, if the storage is a local folder.

    Authenticated by the signature, not by an API key.
    """

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    content_negotiation_class = FileNegotiation

    @documentation.get_file
    def get(self, request: Request, name: str) -> HttpResponseBase:
        try:
            file, content = open_signed(request.query_params.get("signature", ""))
        except InvalidLink as link:
            if not link.expired:
                raise ApiError(ErrorCode.NOT_FOUND) from None
            raise errors.link_expired() from None
        try:
            byte_range = parse_range(_range(request, file), file.bytes)
        except RangeNotSatisfiable:
            content.close()
            error = errors.range_not_satisfiable(file.bytes)
            headers = {"Content-Range": f"bytes */{file.bytes}"}
            return Response(error.as_json(), error.status, headers=headers)
        body = FileRange(content, byte_range) if byte_range else content
        # The web server reads the file itself: a slow reader holds no thread.
        response = FileResponse(body, content_type=file.content_type)
        response["Content-Length"] = str(len(byte_range) if byte_range else file.bytes)
        if byte_range:
            response.status_code = status.HTTP_206_PARTIAL_CONTENT
            response["Content-Range"] = (
                f"bytes {byte_range.start}-{byte_range.stop - 1}/{file.bytes}"
            )
        response["Accept-Ranges"] = "bytes"
        response["ETag"] = _etag(file)
        response["Content-Disposition"] = content_disposition_header(True, file.name)
        return response
