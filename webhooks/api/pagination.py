"""Lists of what has a number, and of deliveries, which an index finds by their time."""

from django.core import signing
from rest_framework.pagination import Cursor
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from accounts.errors import ErrorCode, InvalidInput, Problem
from resources.pagination import KeysetPagination

_SALT = "webhooks.deliveries"


class NewestFirst(KeysetPagination):
    ordering = "-number"


class LastMade(KeysetPagination):
    """Its cursors name times, and those of others numbers: neither reads the other's."""

    ordering = "-created_at"

    def encode_cursor(self, cursor: Cursor) -> str:
        token = signing.dumps(tuple(cursor), salt=_SALT)
        return replace_query_param(str(self.base_url), self.cursor_query_param, token)

    def decode_cursor(self, request: Request) -> Cursor | None:
        token = request.query_params.get(self.cursor_query_param)
        if token is None:
            return None
        try:
            return Cursor(*signing.loads(token, salt=_SALT))
        except signing.BadSignature:
            accepted = "the cursor of a link that this list gave as next or previous"
            text = "The cursor is not one of this list"
            problem = Problem(ErrorCode.INVALID_CURSOR, "cursor", token, text, accepted)
            raise InvalidInput(problem) from None
