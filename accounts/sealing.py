"""What the database keeps for us and must not tell: encrypted under SECRET_KEY."""

import base64
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac

# Of what was sealed first: under another, that could not be read.
_SALT = "webhooks.secrets"


class Unreadable(Exception):
    """It was sealed with a SECRET_KEY that is known no more."""


def seal(text: str) -> str:
    return _fernet().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Raises Unreadable."""
    try:
        return _fernet().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise Unreadable("SECRET_KEY is not the one that this was stored with.") from error


def _fernet() -> MultiFernet:
    return _of_keys(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@cache
def _of_keys(*keys: str) -> MultiFernet:
    """The first key seals, each of them unseals."""
    digests = [salted_hmac(_SALT, "", key, algorithm="sha256").digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
