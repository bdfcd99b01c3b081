"""Public identifiers: a prefix for the kind of object, and a part that sorts by time."""

import secrets
import time
from datetime import datetime

from psycopg import sql

# Crockford's base 32 in lower case: without i, l, o, u, and sorted the same in every collation.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_TIME_BITS = 48
_RANDOM_BITS = 80
_LENGTH = 26
# The digits of the time; the other 16 are random.
_TIME_DIGITS = 10
_SECRET_BYTES = 16
# 12 bytes of a hash have 16 digits in base 64. Ten of them become digits of base 32, and the two
# cases of each other letter the same letter, so each of the 32 digits is equally likely. A tenth of
# the cost of random bytes for each row.
_RANDOM_DIGITS = """({} || lower(translate(
 encode(substring(sha256(int8send({}) || {}::bytea) FOR 12), 'base64'),
 'iIlLoOuU+/', '0123456789') COLLATE "C"))"""


def new_id(prefix: str) -> str:
    """Return `<prefix>_` and 26 characters: 48 bits of milliseconds, then 80 random bits.

    Ids of one prefix sort by creation time to the millisecond.
    """
    value = (time.time_ns() // 1_000_000 << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS)
    value &= (1 << (_TIME_BITS + _RANDOM_BITS)) - 1
    return f"{prefix}_{_digits(value, _LENGTH)}"


def new_id_sql(prefix: str, moment: datetime, number: sql.Composable) -> sql.Composable:
    """Return SQL of an id as `new_id` makes it at a moment.

    number: SQL of a `bigint`: another number gives another id. Each call of this function gives
        other ids.
    """
    milliseconds = int(moment.timestamp() * 1000) & ((1 << _TIME_BITS) - 1)
    start = f"{prefix}_{_digits(milliseconds, _TIME_DIGITS)}"
    secret = sql.Literal(secrets.token_bytes(_SECRET_BYTES))
    return sql.SQL(_RANDOM_DIGITS).format(sql.Literal(start), number, secret)


def _digits(value: int, length: int) -> str:
    return "".join(_ALPHABET[(value >> shift) & 31] for shift in range(5 * (length - 1), -1, -5))
