"""Lists by keyset: `{next, previous, results}`, constant time at any depth."""

import json
from typing import Any

from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from longshore.accounts.sealing import Unreadable, seal, unseal
from longshore.api.errors import ErrorCode, InvalidInput, Problem

MAX_PAGE_SIZE = 100
DEFAULT_PAGE_SIZE = 25


def page_size(text: str | None) -> int:
    """The `limit` of a list; raises InvalidInput for what is none."""
    if text is None:
        return DEFAULT_PAGE_SIZE
    if text.isascii() and text.isdigit() and len(text) < 4 and 0 < int(text) <= MAX_PAGE_SIZE:
        return int(text)
    message = f"{text} is not a valid limit."
    accepted = f"a whole number from 1 to {MAX_PAGE_SIZE}"
    raise InvalidInput(Problem(ErrorCode.INVALID_LIMIT, "limit", text, message, accepted))


def page_schema(results: dict[str, Any]) -> dict[str, Any]:
    """The JSON schema of a page whose `results` have a schema."""
    link = {"type": ["string", "null"], "format": "uri", "example": None}
    return {
        "type": "object",
        "properties": {"next": link, "previous": link, "results": results},
        "required": ["next", "previous", "results"],
    }


class KeysetPagination(CursorPagination):
    """`limit` is 1 to 100, 25 where it is not given; anything else is an error, not a clamp.

    salt: of the encryption of cursors. Lists with different salts refuse each other's cursors.
    """

    salt = "longshore.api.pagination"
    page_size = DEFAULT_PAGE_SIZE
    page_size_query_param = "limit"
    page_size_query_description = (
        f"Records in a page, from 1 to {MAX_PAGE_SIZE}; {DEFAULT_PAGE_SIZE} by default."
    )
    cursor_query_description = "A place in the list, as in `next` and `previous`."
    max_page_size = MAX_PAGE_SIZE

    def get_page_size(self, request: Request) -> int:
        return page_size(request.query_params.get("limit"))

    def encode_cursor(self, cursor: Cursor) -> str:
        # Encryption authenticates the content: a forged position could be of a type that the
        # database refuses, and a forged offset could make it skip any number of rows.
        content = [cursor.offset, cursor.reverse, cursor.position]
        token = seal(json.dumps(content, separators=(",", ":")), self.salt)
        return replace_query_param(str(self.base_url), self.cursor_query_param, token)

    def decode_cursor(self, request: Request) -> Cursor | None:
        token = request.query_params.get(self.cursor_query_param)
        if token is None:
            return None
        try:
            return Cursor(*json.loads(unseal(token, self.salt)))
        except Unreadable:
            accepted = "the cursor of a link that a list gave as next or previous"
            text = "The cursor is not one of this list"
            problem = Problem(ErrorCode.INVALID_CURSOR, "cursor", token, text, accepted)
            raise InvalidInput(problem) from None

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return page_schema(schema)


class NewestFirst(KeysetPagination):
    """Lists of models with `created_at` and a rising `number`, newest first.

    By time, so that one index serves the order and a range of `created_at`.
    """

    salt = "resources.newest_first"
    ordering = ("-created_at", "-number")
