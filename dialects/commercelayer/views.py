"""Base classes of the views: JSON:API documents over the policy of the native API."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from django.db.models import Model
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from dialects.commercelayer.authentication import AccessTokenAuthentication
from dialects.commercelayer.documentation.operations import DocumentSchema
from dialects.commercelayer.documents import Selection, Shown, document, listing
from dialects.commercelayer.errors import MEDIA_TYPE
from dialects.commercelayer.queries import (
    Kind,
    ObjectQuery,
    page_links,
    parse_list_query,
    parse_object_query,
)
from longshore.accounts.authentication import ApiKeyAuthentication
from longshore.api.concurrency import expensive
from longshore.api.parsers import BoundedJSONParser
from longshore.api.views import ApiRenderer, ApiView, ApiViewSet

M = TypeVar("M", bound=Model)
# The actions that respond with the document of one object.
_WITH_DOCUMENT = ("create", "retrieve", "partial_update")


class DocumentRenderer(ApiRenderer):
    media_type = MEDIA_TYPE
    format = "jsonapi"


class DocumentParser(BoundedJSONParser):
    media_type = MEDIA_TYPE


class DocumentView(ApiView):
    """Base of the views that are not viewsets."""

    authentication_classes = (AccessTokenAuthentication, ApiKeyAuthentication)
    parser_classes: Sequence[type[BaseParser]] = (DocumentParser,)
    renderer_classes = (DocumentRenderer,)
    schema = DocumentSchema()

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Add the headers from which clients compute their delay."""
        finalized = super().finalize_response(request, response, *args, **kwargs)
        if rate := self.rate:
            limit, remaining, _ = rate.state()
            finalized["X-Ratelimit-Limit"] = str(limit)
            finalized["X-Ratelimit-Interval"] = str(rate.seconds)
            finalized["X-Ratelimit-Remaining"] = str(remaining)
        return finalized


class DocumentViewSet(DocumentView, ApiViewSet[M]):
    """Base of the viewsets of one kind of object."""

    kind: ClassVar[Kind[Any]]
    # The type of the object whose related objects a list has; "" for all of the organization.
    of: ClassVar[str] = ""
    lookup_value_regex: ClassVar[str]
    lookup_url_kwarg = "public_id"
    query: ObjectQuery

    def show(self, rows: Sequence[M]) -> Sequence[Shown]:
        """Return rows as documents show them, by a bounded number of queries."""
        raise NotImplementedError

    def related(self, name: str, rows: Sequence[M]) -> Mapping[str, Sequence[Shown]]:
        """Return the objects of a relation of rows, by the ids of the rows, in bounded number."""
        raise NotImplementedError

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action in _WITH_DOCUMENT:
            # Before a change, which an invalid parameter must not leave behind.
            self.query = parse_object_query(request, self.kind)

    @expensive(spare=0)
    def list(self, request: Request, public_id: str = "") -> Response:
        """List objects; those of one other object if the address names it.

        It counts all rows, and indexes serve few of its orders and filters.
        """
        query = parse_list_query(request, self.kind)
        page = query.read(self.get_queryset())
        rows = page.rows
        return Response(
            listing(
                self.show(rows),
                request,
                self._selection(query, rows),
                total=page.total,
                pages=page.count,
                links=page_links(request, page),
            )
        )

    def retrieve(self, request: Request, public_id: str) -> Response:
        return self.respond(self.get_object())

    def respond(self, row: M, status: int = 200) -> Response:
        """Return the document of one object, as the query of the request selects it."""
        [shown] = self.show([row])
        body = document(shown, self.request, self._selection(self.query, [row]))
        headers = {"Location": body["data"]["links"]["self"]} if status == 201 else None
        return Response(body, status, headers=headers)

    def _selection(self, query: ObjectQuery, rows: Sequence[M]) -> Selection:
        included = {name: self.related(name, rows) for name in query.includes}
        return Selection(query.fields, included)
