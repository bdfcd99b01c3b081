"""`/v1/batches/mappings`: the saved mappings of an organization."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from batches.api import mapping_documentation as documentation
from batches.api.mapping_serializers import MappingSerializer
from batches.models import SavedMapping
from batches.request import saved_mappings
from batches.request.parser import writable_resources
from longshore.api.idempotency import idempotent
from longshore.api.pagination import single_page
from longshore.api.views import ApiViewSet
from longshore.resources.api.list_filters import request_filters


@extend_schema_view(**documentation.mappings)
class MappingViewSet(ApiViewSet[SavedMapping]):
    """The saved mappings of the API key's organization."""

    lookup_value_regex = r"map_\w+"
    serializer_class = MappingSerializer

    def get_queryset(self) -> QuerySet[SavedMapping]:
        return saved_mappings.saved_mappings(self.organization)

    def list(self, request: Request) -> Response:
        filters = request_filters(request, {"resource": writable_resources()})
        mappings = self.get_queryset()
        if resources := filters.values.get("resource"):
            mappings = mappings.filter(resource__in=resources)
        return Response(single_page(self.get_serializer(mappings, many=True).data))

    @idempotent
    def create(self, request: Request) -> Response:
        resource, name, mapping = saved_mappings.parse_mapping(self.json_body(request))
        saved, is_new = saved_mappings.save(self.organization, resource, name, mapping)
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(self.get_serializer(saved).data, code)

    def destroy(self, request: Request, public_id: str) -> Response:
        self.get_object().delete()
        return Response(status=status.HTTP_204_NO_CONTENT)
