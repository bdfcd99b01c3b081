"""Signing secrets in the form of Standard Webhooks; `longshore.accounts.sealing` encrypts them."""

import base64
import re
import secrets

PREFIX = "whsec_"
# In bytes.
MIN_BYTES, MAX_BYTES = 24, 64
_BYTES = 32
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


def generate() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def is_secret(text: str) -> bool:
    """Whether it is `whsec_` and the base64 of 24 to 64 bytes."""
    encoded = text.removeprefix(PREFIX)
    if not text.startswith(PREFIX) or not _BASE64.fullmatch(encoded) or len(encoded) % 4:
        return False
    return MIN_BYTES <= len(base64.b64decode(encoded)) <= MAX_BYTES
