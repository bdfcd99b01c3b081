"""`/v1/resources`: what there is to export, and everything that a request may say of it."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.errors import ApiError, ErrorCode
from exports.formats import formats
from exports.spec import Compression, Nesting
from resources.api.serializers import ResourceSerializer, ResourceSummarySerializer
from resources.registry import Resource, registry


class ExportableSerializer(ResourceSerializer):
    """A resource, with what its exports can be."""

    formats = serializers.SerializerMethodField(help_text="The formats of its exports.")
    compressions = serializers.SerializerMethodField(help_text="How a text format is packed.")
    nestings = serializers.SerializerMethodField(
        help_text="What a file does with values that have parts: `csv_field_options.properties`."
    )

    def get_formats(self, resource: Resource) -> list[str]:
        return list(formats)

    def get_compressions(self, resource: Resource) -> list[str]:
        return [str(compression) for compression in Compression]

    def get_nestings(self, resource: Resource) -> list[str]:
        return [str(nesting) for nesting in Nesting]


class ResourceList(APIView):
    def get(self, request: Request) -> Response:
        context = {"request": request}
        results = [ResourceSummarySerializer(each, context=context).data for each in registry]
        page: dict[str, Any] = {"next": None, "previous": None, "results": results}
        return Response(page)


class ResourceDetail(APIView):
    def get(self, request: Request, name: str) -> Response:
        resource = registry.get(name)
        if resource is None:
            text = f"There is no resource {name!r}."
            raise ApiError(ErrorCode.NOT_FOUND, text, {"accepted": registry.names()})
        return Response(ExportableSerializer(resource, context={"request": request}).data)
