"""Cursors as texts: signed, so that they are only ever what a list gave out."""

import hashlib

from django.core.signing import BadSignature, Signer

from accounts.errors import ErrorCode, InvalidInput, Problem
from resources.listing import Cursor, Listing

# Servers and proxies take addresses of a few thousand characters.
_LONGEST = 2_000
_signer = Signer(salt="resources.list")


def write_cursor(listing: Listing, organization_id: str, cursor: Cursor) -> str:
    """Raises InvalidInput where the values that rows are ordered by are too long for it."""
    content = [_digest(listing, organization_id), cursor.backwards, *cursor.position]
    text = _signer.sign_object(content, compress=True)
    if len(text) <= _LONGEST:
        return text
    names = ",".join(order.column for order in listing.ordering)
    message = f"A list cannot go on from a text as long as one here in {names}"
    accepted = "columns of shorter texts, or an export"
    raise InvalidInput(Problem(ErrorCode.INVALID_ORDERING, "order_by", names, message, accepted))


def read_cursor(listing: Listing, organization_id: str, text: str) -> Cursor:
    """Raises InvalidInput for what was not written for the same rows in the same order."""
    accepted = "the cursor of a link that a list gave as next or previous, all else unchanged"
    try:
        digest, backwards, *position = _signer.unsign_object(text)
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
