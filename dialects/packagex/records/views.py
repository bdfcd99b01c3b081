"""`/packagex/v1/<plural>`: list and retrieve records. PostgreSQL writes their JSON."""

import json
from dataclasses import replace
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from dialects.packagex.envelope import envelope, pagination
from dialects.packagex.records.documentation import RECORD_PARAMETERS, PackageXRecordSchema
from dialects.packagex.records.lists import EpochExpressions, RecordList, parse_list
from longshore.accounts.authentication import key_of
from longshore.api.concurrency import expensive
from longshore.api.views import ApiViewSet
from longshore.resources.api.lookup import find_record, parse_record_query
from longshore.resources.readers import check_listing
from longshore.resources.registry import Resource

# Placeholder for the records while the envelope is written. No record contains this text.
_DATA = "\x00"


class PackageXRecordViewSet(ApiViewSet[Any]):
    """The records of one resource of the organization."""

    record_list: RecordList
    resource: Resource
    schema = PackageXRecordSchema()

    @expensive(spare=0)
    def list(self, request: Request) -> HttpResponse:
        organization = self.organization
        listing, page = parse_list(
            self.record_list, self.resource, request.query_params, organization.timezone
        )
        check_listing(listing, key_of(request))
        records, total = listing.window(organization.pk, page.size, page.offset)
        pages = pagination(page, len(records), total)
        return _response(request, f"[{','.join(records)}]", pages)

    @expensive(spare=0)
    def retrieve(self, request: Request, id: str) -> HttpResponse:
        organization = self.organization
        listing = parse_record_query(
            self.resource, id, request.query_params, organization.timezone, RECORD_PARAMETERS
        )
        check_listing(listing, key_of(request))
        listing = replace(listing, expressions=EpochExpressions)
        return _response(request, find_record(listing, organization.pk))


def _response(request: Request, data: str, pages: dict[str, Any] | None = None) -> HttpResponse:
    """Return records in the envelope. Their JSON is copied without being parsed."""
    whole = envelope(request, _DATA, pagination=pages)
    body = json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
    body = body.replace(json.dumps(_DATA), data, 1)
    return HttpResponse(body, content_type="application/json")


def record_viewset(record_list: RecordList, resource: Resource) -> type[PackageXRecordViewSet]:
    """Return the viewset of one list."""
    attributes = {"record_list": record_list, "resource": resource}
    return type(PackageXRecordViewSet.__name__, (PackageXRecordViewSet,), attributes)
