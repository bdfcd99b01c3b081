"""Drops the staging tables of attempts that have ended or died."""

import re
from collections.abc import Iterable

from django.db import OperationalError, connection, transaction
from psycopg import sql

from batches.models import Batch
from batches.staging import PREFIX

# The token of an attempt, or that of a preview.
_CLAIM = re.compile(f"{PREFIX}((?:claim|preview)_[0-9a-z]+)_")
# The attempt of a worker that lost its job may use its tables until its statement ends.
_LOCK_TIMEOUT = "2s"
_TABLES = """
SELECT relname FROM pg_class
WHERE relkind = 'r' AND pg_table_is_visible(oid) AND starts_with(relname, %s)"""


def drop(claims: Iterable[str]) -> bool:
    """Drop the tables of attempts, by their tokens. Returns whether none is left."""
    wanted = set(claims)
    return not wanted or _drop(name for name in _all_tables() if _claim_of(name) in wanted)


def drop_orphans() -> bool:
    """Drop the tables that belong to no attempt of a batch. Returns whether none is left.

    Previews, and validations before a response, roll the transaction back that creates their
    tables, so none of these should be found.
    """
    # Tables first: an attempt is known before it creates tables.
    claims = {name: claim for name in _all_tables() if (claim := _claim_of(name))}
    batches = Batch.objects.filter(claims__overlap=[*claims.values()]).values_list("claims")
    known = {claim for (each,) in batches for claim in each}
    orphans = [name for name, claim in claims.items() if claim not in known]
    # Each in a transaction of its own: a locked table keeps no others.
    dropped = [_drop([name]) for name in orphans]
    return all(dropped)


def _all_tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_TABLES, [PREFIX])
        return [name for (name,) in cursor.fetchall()]


def _claim_of(name: str) -> str | None:
    match = _CLAIM.match(name)
    return match[1] if match else None


def _drop(names: Iterable[str]) -> bool:
    tables = [sql.Identifier(name) for name in names]
    if not tables:
        return True
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_LOCK_TIMEOUT])
            cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.SQL(", ").join(tables)))
    except OperationalError:
        return False
    return True
