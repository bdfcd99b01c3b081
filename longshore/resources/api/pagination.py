"""Pages of records, whose JSON PostgreSQL writes: limit, cursors and links of KeysetPagination."""

import hashlib
import json
from collections.abc import Sequence

from django.http import HttpResponse
from rest_framework.request import Request

from longshore.api.errors import InvalidInput, Problem
from longshore.api.pagination import KeysetPagination, invalid_cursor, seal_cursor, unseal_cursor
from longshore.resources.api.query import ListQuery
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.filters import ORDER_BY
from longshore.resources.listing import Cursor, Listing

# Proxies accept URLs of 8,000 characters.
MAX_CURSOR_CHARACTERS = 6_000


class RecordPagination(KeysetPagination):
    """Pages of a Listing. A cursor is valid for one organization, filter and order."""

    list_name = "records"

    def paginate_query(
        self, query: ListQuery, organization_id: str, request: Request
    ) -> Sequence[str]:
        """Return the records of a page as JSON, in order.

        Raises InvalidInput for an invalid cursor, and the errors of `Listing.page`.
        """
        cursor = None
        if query.cursor is not None:
            cursor = self._read_cursor(query.listing, organization_id, query.cursor)
        page = query.listing.page(organization_id, query.size, cursor)
        url = request.build_absolute_uri()
        self._links = [
            self.link(url, self._write_cursor(query.listing, organization_id, start))
            if start
            else None
            for start in (page.next, page.previous)
        ]
        return page.records

    def get_next_link(self) -> str | None:
        return self._links[0]

    def get_previous_link(self) -> str | None:
        return self._links[1]

    def page_response(self, records: Sequence[str]) -> HttpResponse:
        """Return the response of a page. The JSON of the records is copied without being parsed."""
        links = map(json.dumps, (self.get_next_link(), self.get_previous_link()))
        body = '{{"next":{},"previous":{},"results":[{}]}}'.format(*links, ",".join(records))
        return HttpResponse(body, content_type="application/json")

    def _write_cursor(self, listing: Listing, organization_id: str, cursor: Cursor) -> str:
        """Raises InvalidInput if the values that determine the order are too long."""
        position = [_digest(listing, organization_id), cursor.backwards, *cursor.position]
        text = seal_cursor(self.list_name, position)
        if len(text) <= MAX_CURSOR_CHARACTERS:
            return text
        names = ",".join(order.column for order in listing.ordering)
        message = f"A value of {names} is too long for a cursor: the list cannot continue after it."
        accepted = "columns of shorter texts, or an export"
        code = ResourceErrorCode.INVALID_ORDERING
        raise InvalidInput(Problem(code, ORDER_BY, names, message, accepted))

    def _read_cursor(self, listing: Listing, organization_id: str, text: str) -> Cursor:
        digest, backwards, *position = unseal_cursor(self.list_name, text)
        if digest != _digest(listing, organization_id):
            raise invalid_cursor(text)
        return Cursor(tuple(position), backwards)


def _digest(listing: Listing, organization_id: str) -> str:
    """Hash what determines the rows of a list and their order.

    Conditions are joined by AND, and clients may sort query parameters: the order of conditions
    does not count.
    """
    conditions = sorted(map(repr, listing.selection.conditions))
    rows = (organization_id, listing.resource.name, conditions, listing.ordering)
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:16]
