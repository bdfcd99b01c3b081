"""`/v1/resources` and `/v1/exports/types`: all that a request may ask for."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from exports.api import documentation
from exports.lifecycle.representation import (
    ExportableSerializer,
    ExportTypeSerializer,
)
from longshore.api.errors import ApiError, ErrorCode
from longshore.resources.api.serializers import ResourceSummarySerializer
from longshore.resources.export_types import export_types
from longshore.resources.registry import registry


class ResourceList(APIView):
    @documentation.list_resources
    def get(self, request: Request) -> Response:
        context = {"request": request}
        results = [ResourceSummarySerializer(each, context=context).data for each in registry]
        page: dict[str, Any] = {"next": None, "previous": None, "results": results}
        return Response(page)


class ExportTypeList(APIView):
    @documentation.list_types
    def get(self, request: Request) -> Response:
        results = [ExportTypeSerializer(each).data for each in export_types.declared]
        page: dict[str, Any] = {"next": None, "previous": None, "results": results}
        return Response(page)


class ResourceDetail(APIView):
    @documentation.get_resource
    def get(self, request: Request, name: str) -> Response:
        resource = registry.get(name)
        if resource is None:
            text = f"There is no resource {name!r}."
            raise ApiError(ErrorCode.NOT_FOUND, text, {"accepted": registry.names()})
        return Response(ExportableSerializer(resource, context={"request": request}).data)
