"""`/v1/resources`: what can be exported and listed."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from exports.api import documentation
from exports.api.serializers import ExportableSerializer
from longshore.api.pagination import single_page
from longshore.api.views import ApiViewSet
from longshore.resources.api.lookup import find_resource
from longshore.resources.api.serializers import ResourceSummarySerializer
from longshore.resources.registry import registry


class ResourceViewSet(ApiViewSet[Any]):
    """The registered resources; the same for every organization."""

    may_compress = True
    lookup_url_kwarg = "name"
    lookup_value_regex = "[a-z0-9_]+"

    @documentation.list_resources
    def list(self, request: Request) -> Response:
        context = {"request": request}
        return Response(
            single_page(
                [ResourceSummarySerializer(each, context=context).data for each in registry]
            )
        )

    @documentation.get_resource
    def retrieve(self, request: Request, name: str) -> Response:
        return Response(
            ExportableSerializer(find_resource(name), context={"request": request}).data
        )
