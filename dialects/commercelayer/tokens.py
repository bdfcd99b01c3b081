"""Access tokens: issues and verifies JWTs that stand for an API key.

A token is signed with a key derived from SECRET_KEY and names its API key. It expires on its own,
and stops working when its API key is revoked or expires.
"""

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.crypto import salted_hmac
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from rest_framework.exceptions import AuthenticationFailed

from longshore.accounts.authentication import check_active
from longshore.accounts.models import ApiKey

# The only scope of the vendor that exists here: all data of the organization. What a token allows
# is decided by the scopes of its API key.
SCOPE = "market:all"
_ALGORITHM = "HS256"
_SALT = "dialects.commercelayer.oauth"
# The first part of each token. Others are not decoded: their headers may have any value.
_HEADER, _, _ = jwt.encode({"alg": _ALGORITHM}, {}, OctKey.import_key(bytes(32))).partition(".")
_EXPIRED = "The access token has expired."
_INVALID = "The access token is not valid."


@dataclass(frozen=True)
class AccessToken:
    """A token. created_at, expires_in: in seconds, the former since the epoch."""

    text: str
    created_at: int
    expires_in: int


def issue(api_key: ApiKey) -> AccessToken:
    """Return a new token of a valid key. The token does not outlive the key."""
    now = int(time.time())
    expires_at = now + settings.COMMERCELAYER_TOKEN_SECONDS
    if api_key.expiry_date is not None:
        expires_at = min(expires_at, int(api_key.expiry_date.timestamp()))
    organization = api_key.organization
    claims: dict[str, Any] = {
        "organization": {"id": organization.pk, "slug": organization.slug},
        "application": {
            "id": api_key.pk,
            "kind": "integration",
            "public": False,
            "client_id": api_key.prefix,
        },
        "scope": SCOPE,
        "test": False,
        "iat": now,
        "exp": expires_at,
        # Clients find the host of the API behind `https://auth.`.
        "iss": f"https://auth.{urlsplit(settings.BASE_URL).netloc}",
    }
    text = jwt.encode({"alg": _ALGORITHM}, claims, _signing_keys()[0])
    return AccessToken(text, now, expires_at - now)


def find_key(token: str) -> ApiKey:
    """Return the API key of a valid token, with its organization. Raises AuthenticationFailed."""
    claims = _verified(token)
    if claims["exp"] <= time.time():
        raise AuthenticationFailed(_EXPIRED)
    keys = ApiKey.objects.select_related("organization")
    api_key: ApiKey | None = keys.filter(pk=claims["application"]["id"]).first()
    if api_key is None:
        raise AuthenticationFailed(_INVALID)
    check_active(api_key)
    return api_key


def _verified(token: str) -> dict[str, Any]:
    """Return the claims of a token that this server has signed. Raises AuthenticationFailed."""
    if not token.startswith(f"{_HEADER}."):
        raise AuthenticationFailed(_INVALID)
    for key in _signing_keys():
        try:
            return jwt.decode(token, key, [_ALGORITHM]).claims
        except (JoseError, ValueError):
            continue
    raise AuthenticationFailed(_INVALID)


def _signing_keys() -> list[OctKey]:
    """Return the key that signs, then those that only verify."""
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    digests = (salted_hmac(_SALT, "", each, algorithm="sha256").digest() for each in secrets)
    return [OctKey.import_key(digest) for digest in digests]
