"""Cursors as texts: signed, so that they are only ever what a list gave out."""

import hashlib
import json
from typing import Any

from django.core.signing import BadSignature, Signer

from longshore.api.errors import ErrorCode, InvalidInput, Problem
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.listing import Cursor, Listing

# Proxies take addresses of 8,000 characters.
MAX_CHARACTERS = 6_000
# Another number for positions of another meaning: cursors from before are refused.
_signer = Signer(salt="resources.list.2")


class _Json:
    """JSON in UTF-8, in which no character is longer than four bytes."""

    def dumps(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()

    def loads(self, data: bytes) -> Any:
        return json.loads(data)


def write_cursor(listing: Listing, organization_id: str, cursor: Cursor) -> str:
    """Raises InvalidInput where the values that rows are ordered by are too long for it."""
    content = [_digest(listing, organization_id), cursor.backwards, *cursor.position]
    text = _signer.sign_object(content, serializer=_Json, compress=True)
    if len(text) <= MAX_CHARACTERS:
        return text
    names = ",".join(order.column for order in listing.ordering)
    message = f"A list cannot go on from a text as long as one here in {names}"
    accepted = "columns of shorter texts, or an export"
    raise InvalidInput(
        Problem(ResourceErrorCode.INVALID_ORDERING, "order_by", names, message, accepted)
    )


def read_cursor(listing: Listing, organization_id: str, text: str) -> Cursor:
    """Raises InvalidInput for what was not written for the same rows in the same order."""
    accepted = "the cursor of a link that a list gave as next or previous, all else unchanged"
    try:
        digest, backwards, *position = _signer.unsign_object(text, serializer=_Json)
    except (BadSignature, ValueError):
        message = "The cursor is not one of this list"
    else:
        if digest == _digest(listing, organization_id):
            return Cursor(tuple(position), backwards)
        message = "The cursor was given for other filters or another order"
    raise InvalidInput(Problem(ErrorCode.INVALID_CURSOR, "cursor", text, message, accepted))


def _digest(listing: Listing, organization_id: str) -> str:
    """Hash what decides which rows a list has, and in which order.

    Conditions are joined by AND, and clients may sort the parameters of an address: the order of
    the conditions does not count.
    """
    conditions = sorted(map(repr, listing.selection.conditions))
    rows = (organization_id, listing.resource.name, conditions, listing.ordering)
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:16]
