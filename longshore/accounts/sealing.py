"""Encryption under SECRET_KEY: of secrets in the database, and of cursors."""

import base64
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac

# Of everything that the database stores. The name is that of the first use: with another salt,
# stored secrets could not be decrypted.
STORED = "webhooks.signing_secrets"


class Unreadable(Exception):
    """A text was not sealed with this salt and a known SECRET_KEY."""


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
        raise Unreadable("SECRET_KEY is not the one that this was stored with.") from error


def _fernet(salt: str) -> MultiFernet:
    return _of_keys(salt, settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@cache
def _of_keys(salt: str, *keys: str) -> MultiFernet:
    """The first key seals, each of them unseals."""
    digests = [salted_hmac(salt, "", key, algorithm="sha256").digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
