"""Statement timeouts of the web processes: PostgreSQL stops what nobody would wait for."""

import logging
from typing import Any

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

logger = logging.getLogger(__name__)

# A pooler tells its clients other process ids than PostgreSQL does. Behind one the setting would
# stay on a connection that workers, whose statements may take hours, get next.
_LIMIT = """SELECT set_config('statement_timeout', %s, false) WHERE pg_backend_pid() = %s"""


def limit_statements() -> None:
    """Give each new database connection of this process `WEB_STATEMENT_TIMEOUT_SECONDS`.

    One statement for a connection. A pooler refuses the alternative, `options` of the startup
    message.
    """
    if settings.WEB_STATEMENT_TIMEOUT_SECONDS:
        connection_created.connect(_limit, dispatch_uid="accounts.statements")


def _limit(connection: BaseDatabaseWrapper, **_: Any) -> None:
    milliseconds = settings.WEB_STATEMENT_TIMEOUT_SECONDS * 1000
    process = connection.connection.info.backend_pid
    with connection.cursor() as cursor:
        cursor.execute(_LIMIT, [str(milliseconds), process])
        if cursor.fetchone() is None:
            logger.info(
                "The database is behind a pooler: WEB_STATEMENT_TIMEOUT_SECONDS does not apply. "
                "Set statement_timeout for the role instead."
            )
