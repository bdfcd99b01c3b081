"""Signing secrets in the format of Standard Webhooks, not encrypted.

`longshore.accounts.sealing` encrypts them for storage.
"""

import base64
import re
import secrets

PREFIX = "whsec_"
# Lengths of the decoded secret.
MIN_BYTES, MAX_BYTES = 24, 64
_GENERATED_BYTES = 32
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


def generate() -> str:
    """Return a new random secret."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_GENERATED_BYTES)).decode()


def is_secret(text: str) -> bool:
    """Return whether the text is `whsec_` followed by the Base64 of 24 to 64 bytes."""
    encoded = text.removeprefix(PREFIX)
    if not text.startswith(PREFIX) or not _BASE64.fullmatch(encoded) or len(encoded) % 4:
        return False
    return MIN_BYTES <= len(base64.b64decode(encoded)) <= MAX_BYTES
