"""Public identifiers: a prefix for the kind of object, and a part that sorts by time."""

import secrets
import time

# Crockford's base 32 in lower case: without i, l, o, u, and sorted the same in every collation.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_TIME_BITS = 48
_RANDOM_BITS = 80
_LENGTH = 26


def new_id(prefix: str) -> str:
    """Return `<prefix>_` and 26 characters: 48 bits of milliseconds, then 80 random bits.

    Ids of one prefix sort by creation time to the millisecond.
    """
    value = (time.time_ns() // 1_000_000 << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS)
    value &= (1 << (_TIME_BITS + _RANDOM_BITS)) - 1
    digits = [_ALPHABET[(value >> shift) & 31] for shift in range(5 * (_LENGTH - 1), -1, -5)]
    return f"{prefix}_{''.join(digits)}"
