"""Lists by keyset: `{next, previous, results}`, constant time at any depth."""

from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

from accounts.errors import ErrorCode, InvalidInput, Problem

LARGEST_PAGE = 100


class KeysetPagination(CursorPagination):
    """`limit` is 1 to 100, 25 where it is not given; anything else is an error, not a clamp."""

    page_size = 25
    page_size_query_param = "limit"
    max_page_size = LARGEST_PAGE

    def get_page_size(self, request: Request) -> int:
        text = request.query_params.get("limit")
        if text is None:
            return self.page_size
        if text.isascii() and text.isdigit() and len(text) < 4 and 0 < int(text) <= LARGEST_PAGE:
            return int(text)
        message = f"{text} is no limit of a list"
        accepted = f"a whole number from 1 to {LARGEST_PAGE}"
        raise InvalidInput(Problem(ErrorCode.INVALID_LIMIT, "limit", text, message, accepted))

    def decode_cursor(self, request: Request) -> Any:
        try:
            return super().decode_cursor(request)
        except NotFound:
            cursor = request.query_params.get("cursor")
            accepted = "the cursor of a link that a list gave as next or previous"
            text = "The cursor is not one of this list"
            raise InvalidInput(
                Problem(ErrorCode.INVALID_CURSOR, "cursor", cursor, text, accepted)
            ) from None
