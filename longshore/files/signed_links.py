"""Signed links to files that Longshore itself serves or receives.

A signature authenticates an identifier and the time of signing. Storages that have presigned URLs,
such as S3, do not use signatures.
"""

from urllib.parse import urlencode

from django.core.signing import BadSignature, SignatureExpired, TimestampSigner

# Begins the identifiers of links that receive a file, and of no others.
UPLOAD_PREFIX = "upload:"
_signer = TimestampSigner(salt="longshore.files.link")


class InvalidLink(Exception):
    """A signature that is not valid, or whose file is not available.

    expired: whether it was valid before: the link is too old, or its file was deleted.
    """

    def __init__(self, *, expired: bool) -> None:
        super().__init__()
        self.expired = expired


def sign(identifier: str) -> str:
    """Return a signature that contains the identifier and the current time."""
    return _signer.sign(identifier)


def signed_url(url: str, identifier: str) -> str:
    """Return the URL with a signature of the identifier.

    The signature is in the query, because request logs leave the query out.
    """
    return f"{url}?{urlencode({'signature': sign(identifier)})}"


def verify(signature: str, seconds: int) -> str:
    """Return the identifier of a signature.

    seconds: maximum age of the signature.
    Raises InvalidLink.
    """
    try:
        return _signer.unsign(signature, max_age=seconds)
    except SignatureExpired:
        raise InvalidLink(expired=True) from None
    except BadSignature:
        raise InvalidLink(expired=False) from None
