"""`/oauth/token`: exchanges an API key for an access token."""

from collections.abc import Mapping
from typing import Any, cast

from drf_spectacular.utils import OpenApiResponse
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response

from dialects.commercelayer import tokens
from dialects.commercelayer.documentation.schemas import ref
from longshore.accounts.authentication import authenticated, find_key
from longshore.accounts.models import ApiKey
from longshore.accounts.throttling import ApiKeyThrottle
from longshore.api.errors import ErrorCode, Problems
from longshore.api.openapi import extend_schema
from longshore.api.parsers import BoundedFormParser, BoundedJSONParser
from longshore.api.views import ApiView

_GRANT = "client_credentials"
_CREDENTIALS = ("client_id", "client_secret")

_ERRORS = {
    400: "The request is malformed, or asks for another grant or scope.",
    401: "The credentials do not match an API key, or the key was revoked or has expired.",
    405: "The endpoint supports POST only.",
    406: "The Accept header does not allow JSON.",
    413: "The body is too large.",
    415: "The body is neither JSON nor a form.",
    429: "Too many requests with this key, or too many wrong credentials from this IP address. Try "
    "again after Retry-After.",
    431: "The headers are too large.",
    500: "An unexpected error.",
    503: "The server is overloaded.",
}


class TokenView(ApiView):
    """Issues access tokens.

    A request with valid credentials counts as one of its API key, and one with wrong credentials as
    a denied request of the client's address.
    """

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    parser_classes = (BoundedJSONParser, BoundedFormParser)

    @extend_schema(
        operation_id="create_token",
        tags=["token"],
        summary="Create an access token",
        description="Exchanges an API key for an access token.",
        auth=[],
        request={
            "application/json": ref("tokenRequest"),
            "application/x-www-form-urlencoded": ref("tokenRequest"),
        },
        responses={
            200: OpenApiResponse(ref("token"), "The token."),
            **{
                status: OpenApiResponse(ref("tokenError"), text) for status, text in _ERRORS.items()
            },
        },
    )
    def post(self, request: Request) -> Response:
        body = cast("Mapping[str, Any]", request.data)
        _check(body)
        _, api_key = authenticated(_key_of(body))
        request.auth = api_key
        throttle = ApiKeyThrottle()
        if not throttle.allow_request(request, self):
            self.throttled(request, throttle.wait())
        token = tokens.issue(api_key)
        return Response(
            {
                "access_token": token.text,
                "token_type": "Bearer",
                "expires_in": token.expires_in,
                "scope": tokens.SCOPE,
                "created_at": token.created_at,
            }
        )


def _check(body: Mapping[str, Any]) -> None:
    """Raise InvalidInput unless the body asks for a token that exists here."""
    problems = Problems()
    for name, wanted, is_optional in (("grant_type", _GRANT, False), ("scope", tokens.SCOPE, True)):
        value = body.get(name)
        if value != wanted and (value or not is_optional):
            problems.report(
                ErrorCode.INVALID_REQUEST, name, value, f"{name} must be {wanted}.", [wanted]
            )
    for name in _CREDENTIALS:
        if not isinstance(body.get(name), str):
            # The value is not repeated: it may be a secret.
            text = f"{name} is required: a string."
            problems.report(ErrorCode.INVALID_REQUEST, name, None, text)
    if problems:
        problems.refuse()


def _key_of(body: Mapping[str, Any]) -> ApiKey:
    """Return the API key whose prefix is the id, and whose whole text is the secret."""
    api_key = find_key(body["client_secret"])
    if api_key.prefix != body["client_id"]:
        raise AuthenticationFailed("client_id is not the part of client_secret before the dot.")
    return api_key
