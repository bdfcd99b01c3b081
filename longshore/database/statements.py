"""Statement timeout of the web processes."""

import logging
from typing import Any

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

logger = logging.getLogger(__name__)

# Behind a pooler, whose process id differs from the server's, sets nothing: the pooler may later
# use the same server connection for a worker, and a worker's statements may take hours.
_LIMIT = """SELECT set_config('statement_timeout', %s, false) WHERE pg_backend_pid() = %s"""


def limit_statements() -> None:
    """Give each new database connection of this process `WEB_STATEMENT_TIMEOUT_SECONDS`.

    Costs one statement per connection. Poolers refuse the alternative, `options` in the startup
    message.
    """
    if settings.WEB_STATEMENT_TIMEOUT_SECONDS:
        connection_created.connect(_limit, dispatch_uid="longshore.database.statements")


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
