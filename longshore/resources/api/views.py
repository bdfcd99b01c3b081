"""`/v1/<plural>`: the records of a resource, page by page."""

import json
from typing import cast

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from longshore.accounts.authentication import key_of
from longshore.api.admission import expensive
from longshore.resources.api.cursors import read_cursor, write_cursor
from longshore.resources.api.documentation import RecordListSchema
from longshore.resources.api.query import parse_query
from longshore.resources.listing import Cursor
from longshore.resources.registry import Resource


class RecordList(APIView):
    """The records of the key's organization, filtered as an export would be."""

    resource: Resource
    schema = RecordListSchema()

    @classmethod
    def of(cls, resource: Resource) -> "type[RecordList]":
        return cast("type[RecordList]", type(cls.__name__, (cls,), {"resource": resource}))

    @expensive(spare=0)
    def get(self, request: Request) -> HttpResponse:
        organization = key_of(request).organization
        organization_id = organization.pk
        query = parse_query(self.resource, request.query_params, organization.timezone)
        listing, cursor = query.listing, None
        if query.cursor is not None:
            cursor = read_cursor(listing, organization_id, query.cursor)
        page = listing.page(organization_id, query.size, cursor)

        def link(there: Cursor | None) -> str:
            if there is None:
                return "null"
            text = write_cursor(listing, organization_id, there)
            url = request.build_absolute_uri()
            return json.dumps(replace_query_param(url, "cursor", text))

        # PostgreSQL wrote each record's JSON; nothing here has to read it.
        body = '{{"next":{},"previous":{},"results":[{}]}}'.format(
            link(page.next), link(page.previous), ",".join(page.records)
        )
        return HttpResponse(body, content_type="application/json")
