"""Pagination of every list: `{next, previous, results}`, by keyset, at a constant cost per page.

Cursors are sealed: a client can neither read a position nor make one up. A forged position could
have a type that the database rejects, and a forged offset could skip any number of rows.
"""

import json
import zlib
from collections.abc import Iterable
from typing import Any

from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from longshore.accounts.sealing import Unreadable, seal_bytes, unseal_bytes
from longshore.api.errors import ErrorCode, InvalidInput, Problem

MAX_PAGE_SIZE = 100
DEFAULT_PAGE_SIZE = 25
CURSOR = "cursor"
LIMIT = "limit"


def page_size(text: str | None) -> int:
    """Parse the `limit` of a list. Raises InvalidInput if it is not 1 to MAX_PAGE_SIZE."""
    if text is None:
        return DEFAULT_PAGE_SIZE
    if text.isascii() and text.isdigit() and len(text) < 4 and 0 < int(text) <= MAX_PAGE_SIZE:
        return int(text)
    message = f"{text!r} is not a valid limit."
    accepted = f"a whole number from 1 to {MAX_PAGE_SIZE}"
    raise InvalidInput(Problem(ErrorCode.INVALID_LIMIT, LIMIT, text, message, accepted))


def seal_cursor(list_name: str, position: list[Any]) -> str:
    """Encrypt a position of a list as a cursor.

    list_name: cursors of one list are refused by every other list.
    position: JSON values.
    """
    text = json.dumps(position, ensure_ascii=False, separators=(",", ":"))
    return seal_bytes(zlib.compress(text.encode()), _salt(list_name))


def unseal_cursor(list_name: str, cursor: str) -> list[Any]:
    """Decrypt a cursor of a list. Raises InvalidInput for a cursor of another list."""
    try:
        data = unseal_bytes(cursor, _salt(list_name))
    except Unreadable:
        raise invalid_cursor(cursor) from None
    position: list[Any] = json.loads(zlib.decompress(data))
    return position


def invalid_cursor(cursor: str) -> InvalidInput:
    """Return the error for a cursor of another list, or of another filter or order."""
    message = "The cursor does not belong to this list with these filters and this order."
    accepted = "the cursor of a `next` or `previous` link, with all other parameters unchanged"
    return InvalidInput(Problem(ErrorCode.INVALID_CURSOR, CURSOR, cursor, message, accepted))


def _salt(list_name: str) -> str:
    return f"longshore.api.pagination.{list_name}"


def single_page(results: Iterable[Any]) -> dict[str, Any]:
    """Return the body of a list that has one page only."""
    return {"next": None, "previous": None, "results": list(results)}


def page_schema(results: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON schema of a page. results: the schema of its `results`."""
    link = {"type": ["string", "null"], "format": "uri", "example": None}
    return {
        "type": "object",
        "properties": {"next": link, "previous": link, "results": results},
        "required": ["next", "previous", "results"],
    }


class KeysetPagination(CursorPagination):
    """Pages of a queryset, in its `ordering`.

    `limit` is 1 to MAX_PAGE_SIZE; other values are an error, they are not clamped.
    """

    page_size = DEFAULT_PAGE_SIZE
    page_size_query_param: str | None = LIMIT
    page_size_query_description = (
        f"Records per page: 1 to {MAX_PAGE_SIZE}, {DEFAULT_PAGE_SIZE} by default."
    )
    cursor_query_param = CURSOR
    cursor_query_description = "Position in the list, from a `next` or `previous` link."
    max_page_size = MAX_PAGE_SIZE
    list_name = ""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        self.list_name = queryset.model._meta.label
        return super().paginate_queryset(queryset, request, view)

    def get_page_size(self, request: Request) -> int:
        return page_size(request.query_params.get(LIMIT))

    def encode_cursor(self, cursor: Cursor) -> str:
        position = [cursor.offset, cursor.reverse, cursor.position]
        return self.link(str(self.base_url), seal_cursor(self.list_name, position))

    def decode_cursor(self, request: Request) -> Cursor | None:
        cursor = request.query_params.get(CURSOR)
        return None if cursor is None else Cursor(*unseal_cursor(self.list_name, cursor))

    def link(self, url: str, cursor: str) -> str:
        """Return the URL of a list with its cursor replaced."""
        return replace_query_param(url, CURSOR, cursor)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return page_schema(schema)


class NewestFirst(KeysetPagination):
    """Newest first, for models with `created_at` and a rising `number`.

    Ordered by time first, so that one index serves the order and a range of `created_at`.
    """

    ordering = ("-created_at", "-number")
