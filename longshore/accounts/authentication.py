"""Authentication by API key: `PX-API-KEY`, `X-API-KEY` or `Authorization: Bearer <key>`."""

import re
from datetime import timedelta
from typing import cast

from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.models import Q
from django.utils import timezone
from psycopg import sql
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from structlog.contextvars import bind_contextvars

from longshore.accounts.models import ApiKey, Organization

# SQL text, because Django needs several times as long to build this query as PostgreSQL to run it,
# and every request sends it.
_FIND = sql.SQL(
    """
SELECT {columns} FROM {keys} AS key
JOIN {organizations} AS organization ON organization.id = key.organization_id
WHERE key.prefix = %s
"""
)
# The form of generated keys. Other texts are refused without a query.
_KEY = re.compile(r"[A-Za-z0-9]{8}\.[A-Za-z0-9]{32}")
HEADERS = ("PX-API-KEY", "X-API-KEY")
_LAST_USED_RESOLUTION = timedelta(minutes=1)


class ApiKeyAuthentication(BaseAuthentication):
    """Sets `request.auth` to the ApiKey with its organization, by one query.

    A wrong, expired or revoked key is a 401. The message states that a key expired or was revoked
    only if the whole key is right. Updates `last_used_at` at most once a minute.
    """

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey] | None:
        key = _sent_key(request)
        if key is None:
            return None
        return authenticated(find_key(key))

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Longshore"'


def key_of(request: Request) -> ApiKey:
    """Return the API key of an authenticated request."""
    return cast("ApiKey", request.auth)


def authenticated(api_key: ApiKey) -> tuple[AnonymousUser, ApiKey]:
    """Return the user and the `request.auth` of a request with a valid key; record its use."""
    _update_last_used(api_key)
    bind_contextvars(organization=api_key.organization_id)
    return AnonymousUser(), api_key


def _sent_key(request: Request) -> str | None:
    """Return the key of the headers. Raises AuthenticationFailed if they disagree."""
    scheme, _, bearer = request.headers.get("Authorization", "").strip().partition(" ")
    sent = {request.headers.get(name, "").strip() for name in HEADERS}
    if scheme.lower() == "bearer":
        sent.add(bearer.strip())
    sent.discard("")
    if len(sent) > 1:
        raise AuthenticationFailed(
            f"The headers {', '.join(HEADERS)} and Authorization differ. Send one key."
        )
    return next(iter(sent), None)


def find_key(key: str) -> ApiKey:
    """Return the row of a valid key, with its organization. Raises AuthenticationFailed."""
    api_key: ApiKey | None = None
    if _KEY.fullmatch(key):
        prefix, _, _ = key.partition(".")
        api_key = _row_of(prefix)
    if api_key is None or not api_key.is_valid(key):
        raise AuthenticationFailed("The API key is not valid.")
    check_active(api_key)
    return api_key


def _row_of(prefix: str) -> ApiKey | None:
    """Return the key with a prefix, with its organization, in one query; None if there is none."""
    of_key, of_organization = ApiKey._meta.concrete_fields, Organization._meta.concrete_fields
    columns = [
        *(sql.Identifier("key", str(field.column)) for field in of_key),
        *(sql.Identifier("organization", str(field.column)) for field in of_organization),
    ]
    statement = _FIND.format(
        columns=sql.SQL(", ").join(columns),
        keys=sql.Identifier(ApiKey._meta.db_table),
        organizations=sql.Identifier(Organization._meta.db_table),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(None), [prefix])
        row = cursor.fetchone()
    if row is None:
        return None
    api_key = ApiKey.from_db(
        connection.alias, [field.attname for field in of_key], row[: len(of_key)]
    )
    names = [field.attname for field in of_organization]
    api_key.organization = Organization.from_db(connection.alias, names, row[len(of_key) :])
    return api_key


def check_active(api_key: ApiKey) -> None:
    """Raise AuthenticationFailed if a key is revoked or has expired."""
    if api_key.revoked:
        raise AuthenticationFailed("This API key was revoked.")
    if api_key.has_expired:
        raise AuthenticationFailed(f"This API key expired at {api_key.expiry_date:%FT%TZ}.")


def _update_last_used(api_key: ApiKey) -> None:
    now = timezone.now()
    stale = now - _LAST_USED_RESOLUTION
    if api_key.last_used_at is None or api_key.last_used_at < stale:
        # Repeat the condition in SQL, so that only one of several concurrent requests writes.
        ApiKey.objects.filter(
            Q(last_used_at=None) | Q(last_used_at__lt=stale), pk=api_key.pk
        ).update(last_used_at=now)
