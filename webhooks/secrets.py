"""What subscriptions keep to themselves: encrypted, so that the database alone tells nobody."""

import base64
import re
import secrets
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac

PREFIX = "whsec_"
# As Standard Webhooks wants them, in bytes.
SHORTEST, LONGEST = 24, 64
_BYTES = 32
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


class Unreadable(Exception):
    """It was sealed with a SECRET_KEY that is known no more."""


def generate() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def is_secret(text: str) -> bool:
    """Whether it is `whsec_` and the base64 of 24 to 64 bytes."""
    encoded = text.removeprefix(PREFIX)
    if not text.startswith(PREFIX) or not _BASE64.fullmatch(encoded) or len(encoded) % 4:
        return False
    return SHORTEST <= len(base64.b64decode(encoded)) <= LONGEST


def seal(text: str) -> str:
    return (
        _fernet(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS).encrypt(text.encode()).decode()
    )


def unseal(sealed: str) -> str:
    """Raises Unreadable."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    try:
        return _fernet(*keys).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise Unreadable("SECRET_KEY is not the one that secrets were stored with.") from error


@cache
def _fernet(*keys: str) -> MultiFernet:
    """The first key seals, each of them unseals."""
    digests = [
        salted_hmac("webhooks.secrets", "", key, algorithm="sha256").digest() for key in keys
    ]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
