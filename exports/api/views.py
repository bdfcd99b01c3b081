"""`/v1/exports`: preview, create, list, retrieve, cancel, retry, delete, download."""

import json
from dataclasses import asdict
from typing import Any, cast

from django.db.models.fields.json import KT
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.mixins import ListModelMixin
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from exports.api import documentation
from exports.execution.manifest import manifest
from exports.formats import formats
from exports.formats.base import FormatLimit
from exports.lifecycle import actions
from exports.lifecycle.creation import create
from exports.lifecycle.representation import (
    ExportEventSerializer,
    ExportSerializer,
)
from exports.lifecycle.storage import open_signed, signed_url
from exports.models import STATUSES, Export, ExportFile, ExportQuerySet, Status
from exports.preview import preview
from exports.request.parser import parse_export
from longshore.accounts.authentication import key_of
from longshore.accounts.models import Scope
from longshore.api.admission import expensive
from longshore.api.errors import ApiError, ErrorCode
from longshore.api.idempotency import idempotent
from longshore.api.pagination import NewestFirst
from longshore.files.ranges import FileRange, RangeNotSatisfiable, parse_range
from longshore.files.signed_links import InvalidLink
from longshore.resources.api.choices import chosen
from longshore.resources.export_types import export_types
from longshore.resources.registry import registry


class ExportView(GenericAPIView[Export]):
    """The exports of the key's organization: nothing of another is found."""

    serializer_class = ExportSerializer
    lookup_field = "public_id"

    def get_queryset(self) -> ExportQuerySet:
        exports = Export.objects.visible().filter(organization=key_of(self.request).organization)
        return exports.prefetch_related("files")


class ExportList(ListModelMixin, ExportView):
    pagination_class = NewestFirst

    @documentation.list_exports
    def get(self, request: Request) -> Response:
        return self.list(request)

    @documentation.create_export
    @expensive(spare=1)
    @idempotent
    def post(self, request: Request) -> Response:
        body = cast("dict[str, Any]", request.data)
        api_key = key_of(request)
        spec = parse_export(body, api_key.organization.timezone)
        dedupe = body.get("dedupe") is True
        creation = create(api_key.organization, api_key, body, spec, dedupe=dedupe)
        shown = self.get_serializer(creation.export).data
        code = status.HTTP_201_CREATED if creation.created else status.HTTP_200_OK
        return Response(shown, code, headers={"Location": shown["url"]})

    def get_queryset(self) -> ExportQuerySet:
        choices = chosen(
            self.request,
            {
                "resource": registry.names(),
                "type": export_types.codes(),
                "status": list(STATUSES),
                "format": list(formats),
            },
            Export,
        )
        exports, values = choices.created(super().get_queryset()), choices.values
        if types := values.pop("type", None):
            exports = exports.alias(type=KT("request__type")).filter(type__in=types)
        if statuses := values.pop("status", None):
            exports = exports.shown_as(statuses)
        return exports.filter(**{f"{name}__in": given for name, given in values.items()})


class ExportPreview(APIView):
    # It reads, though by a method that is not called safe.
    required_scope = Scope.READ

    @documentation.preview_export
    @expensive(spare=1)
    def post(self, request: Request) -> HttpResponse:
        organization = key_of(request).organization
        spec = parse_export(cast("dict[str, Any]", request.data), organization.timezone)
        try:
            found = preview(spec, organization.pk)
        except FormatLimit as limit:
            raise ApiError(ErrorCode.FORMAT_LIMIT, str(limit)) from None
        # PostgreSQL wrote the rows' JSON; nothing here has to read it.
        shown = {name: json.dumps(value) for name, value in asdict(found).items()}
        shown["rows"] = f"[{','.join(found.rows)}]"
        body = ",".join(f'"{name}":{text}' for name, text in shown.items())
        return HttpResponse(f"{{{body}}}", content_type="application/json")


class ExportDetail(ExportView):
    @documentation.get_export
    def get(self, request: Request, public_id: str) -> Response:
        return Response(self.get_serializer(self.get_object()).data)

    @documentation.delete_export
    def delete(self, request: Request, public_id: str) -> Response:
        actions.delete(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)


class ExportCancel(ExportView):
    @documentation.cancel_export
    def post(self, request: Request, public_id: str) -> Response:
        actions.cancel(self.get_object())
        return Response(self.get_serializer(self.get_object()).data)


class ExportRetry(ExportView):
    @documentation.retry_export
    def post(self, request: Request, public_id: str) -> Response:
        actions.retry(self.get_object())
        return Response(self.get_serializer(self.get_object()).data)


class ExportEvents(ExportView):
    @documentation.list_events
    def get(self, request: Request, public_id: str) -> Response:
        events = ExportEventSerializer(self.get_object().events.all(), many=True).data
        return Response({"next": None, "previous": None, "results": events})


class ExportDownload(ExportView):
    @documentation.download_export
    def get(self, request: Request, public_id: str) -> Response:
        export = _ready(self.get_object())
        files = []
        for file in export.files.all():
            url, expires_at = signed_url(file, request)
            files.append({"name": file.name, "url": url})
        return Response({"url": files[0]["url"], "expires_at": expires_at, "files": files})


class ExportManifest(ExportView):
    @documentation.get_manifest
    def get(self, request: Request, public_id: str) -> Response:
        export = _ready(self.get_object())
        return Response(manifest(export, export.parsed_spec(), export.files.all()))


def _ready(export: Export) -> Export:
    """An export whose files can be downloaded. Raises ApiError."""
    if export.expired:
        text = f"The export's files were deleted at {export.expires_at:%FT%TZ}."
        raise ApiError(ErrorCode.EXPORT_EXPIRED, text)
    if export.status != Status.COMPLETED:
        text = f"The export is {export.status}; its progress is {export.progress}%."
        raise ApiError(
            ErrorCode.EXPORT_NOT_READY,
            text,
            {"status": export.status, "progress": export.progress, "error": export.error},
        )
    return export


class AsItIs(BaseContentNegotiation):
    """A file is of the type that it is, whatever a client would rather have."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        return renderers[0], renderers[0].media_type


def _etag(file: ExportFile) -> str:
    return f'"{file.sha256}"'


def _range(request: Request, file: ExportFile) -> str:
    """The Range header; "" where it is for a file that is another by now."""
    condition = request.headers.get("If-Range", _etag(file))
    return request.headers.get("Range", "") if condition == _etag(file) else ""


class SignedFile(APIView):
    """The bytes behind a signed link, where the storage is a folder of this machine."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    content_negotiation_class = AsItIs

    @documentation.get_file
    def get(self, request: Request, name: str) -> HttpResponseBase:
        try:
            file, content = open_signed(request.query_params.get("signature", ""))
        except InvalidLink as link:
            if not link.expired:
                raise ApiError(ErrorCode.NOT_FOUND) from None
            text = "The link has expired. Ask the export for a new one, if its files still exist."
            raise ApiError(ErrorCode.EXPORT_EXPIRED, text) from None
        try:
            chosen = parse_range(_range(request, file), file.bytes)
        except RangeNotSatisfiable:
            content.close()
            text = f"The file has {file.bytes} bytes, and none of this range."
            error = ApiError(ErrorCode.RANGE_NOT_SATISFIABLE, text, {"bytes": file.bytes})
            headers = {"Content-Range": f"bytes */{file.bytes}"}
            return Response(error.as_json(), error.status, headers=headers)
        shown = FileRange(content, chosen) if chosen else content
        # The web server reads the file itself: a slow reader holds no thread.
        response = FileResponse(shown, content_type=file.content_type)
        response["Content-Length"] = str(len(chosen) if chosen else file.bytes)
        if chosen:
            response.status_code = status.HTTP_206_PARTIAL_CONTENT
            response["Content-Range"] = f"bytes {chosen.start}-{chosen.stop - 1}/{file.bytes}"
        response["Accept-Ranges"] = "bytes"
        response["ETag"] = _etag(file)
        response["Content-Disposition"] = content_disposition_header(True, file.name)
        return response
