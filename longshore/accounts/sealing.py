"""Encrypts stored secrets and cursors with keys derived from SECRET_KEY."""

import base64
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac

# The salt of stored texts. Changing it would make them unreadable.
STORED = "longshore.stored"


class Unreadable(Exception):
    """A text cannot be decrypted with this salt and the known values of SECRET_KEY."""


def seal(text: str, salt: str = STORED) -> str:
    """Encrypt a text so that only `unseal` with the same salt decrypts it."""
    return seal_bytes(text.encode(), salt)


def unseal(sealed: str, salt: str = STORED) -> str:
    """Decrypt a text. Raises Unreadable."""
    return unseal_bytes(sealed, salt).decode()


def seal_bytes(data: bytes, salt: str) -> str:
    """Encrypt bytes so that only `unseal_bytes` with the same salt decrypts them."""
    return _fernet(salt).encrypt(data).decode()


def unseal_bytes(sealed: str, salt: str) -> bytes:
    """Decrypt bytes. Raises Unreadable."""
    try:
        return _fernet(salt).decrypt(sealed.encode())
    except InvalidToken as error:
        text = "The text is damaged, or was encrypted with another SECRET_KEY or salt."
        raise Unreadable(text) from error


def _fernet(salt: str) -> MultiFernet:
    return _fernet_of_keys(salt, settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@cache
def _fernet_of_keys(salt: str, *keys: str) -> MultiFernet:
    """Return a cipher that encrypts with the first key and decrypts with any of them."""
    digests = [salted_hmac(salt, "", key, algorithm="sha256").digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
