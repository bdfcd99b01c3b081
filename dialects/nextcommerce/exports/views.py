"""`/api/admin/exports/`: list, create, types, retrieve and download."""

from drf_spectacular.utils import extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from dialects.nextcommerce.exports import documentation
from dialects.nextcommerce.exports.representation import ExportSerializer
from dialects.nextcommerce.exports.requests import ExportFiltersSerializer, NewExportSerializer
from dialects.nextcommerce.views import NextCommerceViewSet
from exports.api.errors import refuse_without_files
from exports.lifecycle import creation
from exports.lifecycle.storage import EXPORT_FILES
from exports.models import Export, ExportQuerySet
from exports.request.body import PRESET
from exports.request.file_presets import FilePreset
from exports.request.parser import parse_export
from exports.spec import OUTPUT
from longshore.accounts.authentication import key_of
from longshore.api.concurrency import expensive
from longshore.api.idempotency import idempotent
from longshore.resources.api.list_filters import CREATED_AT, parse_list_filters
from longshore.resources.export_types import export_types

# The files of 29next are for programs, as those of its own named exports.
_FOR_PROGRAMS = {OUTPUT: {PRESET: FilePreset.ISO}}
# Operator of each filter by the day of creation. Both days are included.
_DAYS = {"date_created_from": "gte", "date_created_to": "lte"}


@extend_schema_view(**documentation.exports)
class ExportViewSet(ListModelMixin, RetrieveModelMixin, NextCommerceViewSet[Export]):
    """The exports of the API key's organization."""

    serializer_class = ExportSerializer
    query_serializer_class = ExportFiltersSerializer

    def get_queryset(self) -> ExportQuerySet:
        # A spec, which no response shows, may have 256 KiB.
        exports = Export.objects.visible().defer("spec").readable_by(key_of(self.request))
        return self._filtered(exports) if self.action == "list" else exports

    def _filtered(self, exports: ExportQuerySet) -> ExportQuerySet:
        filters = self.list_filters()
        if code := filters.get("type"):
            exports = exports.of_types([code])
        for name, operator in _DAYS.items():
            if day := filters.get(name):
                parameters = {CREATED_AT: [f"{operator}:{day}"]}
                parsed = parse_list_filters(parameters, {}, Export, self.organization.timezone)
                exports = parsed.filter_by_creation(exports)
        return exports

    @expensive(spare=1)
    @idempotent
    def create(self, request: Request) -> Response:
        serializer = NewExportSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        body = dict(serializer.validated_data)
        spec = parse_export({**body, **_FOR_PROGRAMS}, self.organization.timezone)
        export, _ = creation.create(self.organization, key_of(request), body, spec)
        self.subject = export.public_id
        data = self.get_serializer(export).data
        return Response(data, status.HTTP_201_CREATED, headers={"Location": data["url"]})

    @action(detail=False)
    def types(self, request: Request) -> Response:
        found = [{"code": each.code, "name": each.name} for each in export_types.declared]
        return Response({"types": found})

    @action(detail=True)
    def download(self, request: Request, id: str) -> Response:
        export = self.get_object()
        refuse_without_files(export)
        # An export of the native API may have several files.
        files = export.files.all()
        if len(files) == 1:
            url, _ = EXPORT_FILES.url(files[0], request)
        else:
            url, _ = EXPORT_FILES.zip_url(export, request)
        return Response({"url": url})
