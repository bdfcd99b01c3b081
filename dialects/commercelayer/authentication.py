"""Authentication by access token, or by API key as the native API accepts it."""

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from dialects.commercelayer import tokens
from dialects.commercelayer.errors import INVALID_TOKEN
from longshore.accounts.authentication import authenticated
from longshore.accounts.models import ApiKey
from longshore.api.errors import ApiError, ErrorCode

_PARTS = 3


class AccessTokenAuthentication(BaseAuthentication):
    """Sets `request.auth` to the API key of a token, by one query.

    The next class reads Bearer credentials that are not JWTs.
    """

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey] | None:
        scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or len(token.split(".")) != _PARTS:
            return None
        try:
            return authenticated(tokens.find_key(token))
        except AuthenticationFailed as failed:
            details = {"code": INVALID_TOKEN}
            raise ApiError(ErrorCode.UNAUTHORIZED, str(failed.detail), details) from None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Longshore"'
