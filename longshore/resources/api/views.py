"""`/v1/<plural>`: list and retrieve the records of a resource."""

from typing import Any, cast

from django.http import HttpResponse
from rest_framework.request import Request

from longshore.accounts.authentication import key_of
from longshore.api.concurrency import expensive
from longshore.api.views import ApiViewSet
from longshore.resources.api.documentation import RecordSchema
from longshore.resources.api.lookup import find_record, parse_record_query, primary_column
from longshore.resources.api.pagination import RecordPagination
from longshore.resources.api.query import parse_query
from longshore.resources.readers import check_listing
from longshore.resources.registry import Resource


class RecordListViewSet(ApiViewSet[Any]):
    """The records of the organization. PostgreSQL writes their JSON; it is not parsed here."""

    resource: Resource
    may_compress = True
    schema = RecordSchema()

    @expensive(spare=0)
    def list(self, request: Request) -> HttpResponse:
        organization = self.organization
        query = parse_query(self.resource, request.query_params, organization.timezone)
        check_listing(query.listing, key_of(request))
        paginator = RecordPagination()
        return paginator.page_response(paginator.paginate_query(query, organization.pk, request))


class RecordViewSet(RecordListViewSet):
    """Adds the retrieval of one record by its primary key."""

    lookup_url_kwarg = "id"
    lookup_value_regex = "[^/]+"

    @expensive(spare=0)
    def retrieve(self, request: Request, id: str) -> HttpResponse:
        organization = self.organization
        listing = parse_record_query(self.resource, id, request.query_params, organization.timezone)
        check_listing(listing, key_of(request))
        return HttpResponse(find_record(listing, organization.pk), content_type="application/json")


def record_viewset(resource: Resource) -> type[RecordListViewSet]:
    """Return the viewset of one resource. It retrieves no records if the primary key is hidden."""
    base = RecordViewSet if primary_column(resource) else RecordListViewSet
    return cast("type[RecordListViewSet]", type(base.__name__, (base,), {"resource": resource}))
