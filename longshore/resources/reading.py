"""Read queries on Django's connection with a statement timeout and a bounded response."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg
from django.db import DatabaseError, connection, transaction
from django.db.backends.utils import CursorWrapper

from longshore.api.errors import ApiError, ErrorCode, InvalidInput
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.timezones import unknown_zone


class StatementTimeout(ApiError):
    """The database canceled a statement at its timeout."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.TIMEOUT)


# Maximum size of the records of one response: a process holds several copies.
MAX_RESPONSE_BYTES = 16 << 20


class ResponseTooLarge(ApiError):
    """The records of a response have too many bytes. The database sent none of them."""

    def __init__(
        self,
        size: int,
        column: str,
        record: str | None = None,
        maximum: int = MAX_RESPONSE_BYTES,
    ) -> None:
        """Create the error.

        size: bytes of all records. column, record: names of the largest column and record.
        """
        where = f"{column} of {record}" if record else column
        text = (
            f"The records have {size:,} bytes; the maximum of a response is {maximum:,}. Leave out "
            f"{where}, or create an export."
        )
        details = {"bytes": size, "maximum": maximum, "column": column}
        super().__init__(
            ResourceErrorCode.ANSWER_TOO_LARGE,
            text,
            details | ({"record": record} if record else {}),
        )


@contextmanager
def reading(timezone: str, milliseconds: int, timezone_field: str) -> Iterator[CursorWrapper]:
    """Open a cursor in a transaction with the settings of `settings_of`, and roll back at the end.

    milliseconds: timeout of each statement.
    timezone_field: path of the time zone in the request.
    Raises StatementTimeout, and InvalidInput for a time zone that this PostgreSQL does not know.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            # A request uses at most one core of the database: the other cores serve the requests of
            # other organizations.
            limits = {
                "statement_timeout": str(milliseconds),
                "max_parallel_workers_per_gather": "0",
            }
            try:
                configure(cursor, settings_of(timezone) | limits)
            except DatabaseError as error:
                # Any other statement may raise this error too, for another value.
                if isinstance(error.__cause__, psycopg.errors.InvalidParameterValue):
                    raise InvalidInput(unknown_zone(timezone, timezone_field)) from error
                raise
            yield cursor
            # Inside an outer transaction the settings would otherwise stay until its end.
            transaction.set_rollback(True)
    except (DatabaseError, psycopg.Error) as error:
        if isinstance(error.__cause__ or error, psycopg.errors.QueryCanceled):
            raise StatementTimeout from error
        raise


def settings_of(timezone: str) -> dict[str, str]:
    """Return the PostgreSQL settings that determine how datetimes become texts."""
    return {"TimeZone": timezone, "DateStyle": "ISO, YMD", "IntervalStyle": "iso_8601"}


def configure(cursor: CursorWrapper | psycopg.Cursor, settings: Mapping[str, str]) -> None:
    """Apply settings until the end of the transaction."""
    calls = ", ".join(["set_config(%s, %s, true)"] * len(settings))
    cursor.execute(f"SELECT {calls}", [text for setting in settings.items() for text in setting])
