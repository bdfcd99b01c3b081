"""The read replica: decides whether an attempt reads from it, and recognizes its failures.

A replica must apply the changes of its primary. If a query still needs rows that a change removes,
the replica waits for `max_standby_streaming_delay` and then cancels the query.
"""

from typing import Any

import psycopg
from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError, connections
from psycopg import errors

from exports.lifecycle import transitions
from exports.models import Export

ALIAS = "replica"
_CONFLICT = (
    "The read replica canceled the query of the export, because it conflicted with changes that "
    "the replica had to apply (conflict with recovery). Set hot_standby_feedback = on on the "
    "replica, or raise its max_standby_streaming_delay."
)
_LOST = (
    "The connection to the read replica was refused or lost ({}). Check that the replica runs and "
    "accepts connections."
)
_ENDED = (
    errors.AdminShutdown,
    errors.CrashShutdown,
    errors.CannotConnectNow,
    errors.DatabaseDropped,
    errors.ConnectionException,
)
_SETTINGS = """
SELECT pg_is_in_recovery(), current_setting('hot_standby_feedback')::boolean,
    (SELECT setting::bigint FROM pg_settings WHERE name = 'max_standby_streaming_delay')"""


def database_of(export: Export) -> str:
    """Return the alias of the database from which the current attempt reads its rows."""
    exhausted = export.replica_failures >= len(transitions.REPLICA_DELAYS)
    if settings.EXPORT_DATABASE == ALIAS and settings.EXPORT_REPLICA_FALLBACK and exhausted:
        return "default"
    return str(settings.EXPORT_DATABASE)


def failure_of(export: Export, error: BaseException) -> str | None:
    """Return why the replica did not send the rows, and how to prevent it.

    Returns None for any other error. Connections that read rows raise errors of psycopg; those to
    the primary raise Django's.
    """
    if database_of(export) != ALIAS or not isinstance(error, psycopg.OperationalError):
        return None
    # A primary never reports a serialization failure for a read-only transaction. The error of a
    # connection that was terminated while idle has no SQLSTATE, only a text.
    if isinstance(error, errors.SerializationFailure) or "conflict with recovery" in str(error):
        return _CONFLICT
    if isinstance(error, _ENDED) or error.sqlstate is None:
        return _LOST.format(type(error).__name__)
    return None


@register(Tags.database)
def check_replica(databases: Any = None, **_: Any) -> list[CheckMessage]:
    """Warn if the replica will cancel long exports. Runs with `check --database replica`."""
    if ALIAS not in (databases or ()) or settings.EXPORT_DATABASE != ALIAS:
        return []
    try:
        with connections[ALIAS].cursor() as cursor:
            cursor.execute(_SETTINGS)
            in_recovery, feedback, milliseconds = cursor.fetchone()
    except DatabaseError as error:
        text = f"EXPORT_DATABASE_URL cannot be reached: {error}"
        return [Warning(text, hint="Check that the replica runs.", id="exports.W001")]
    max_milliseconds = settings.EXPORT_TIME_LIMIT_SECONDS * 1000
    if not in_recovery or feedback or milliseconds == -1 or milliseconds >= max_milliseconds:
        return []
    text = (
        "The replica of EXPORT_DATABASE_URL has hot_standby_feedback = off and cancels an export "
        f"that conflicts with changes of the primary for {milliseconds / 1000:g} s."
    )
    hint = "Set hot_standby_feedback = on on the replica, and max_standby_streaming_delay = -1."
    return [Warning(text, hint=hint, id="exports.W002")]
