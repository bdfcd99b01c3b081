"""Reads on Django's connection that end in time."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg
from django.db import DatabaseError, connection, transaction
from django.db.backends.utils import CursorWrapper

from longshore.api.errors import ApiError, ErrorCode, InvalidInput
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.timezones import unknown_zone


class TookTooLong(ApiError):
    """The database was told to stop."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.TIMEOUT)


# Maximum of the records in one response; a process holds them several times.
MAX_ANSWER_BYTES = 16 << 20


class AnswerTooLarge(ApiError):
    """The records of an answer have too many bytes; none of them was sent by the database."""

    def __init__(
        self,
        size: int,
        column: str,
        record: str | None = None,
        maximum: int = MAX_ANSWER_BYTES,
    ) -> None:
        """size: of all records. column: the largest. record: the key of the largest record."""
        where = f"{column} of {record}" if record else column
        text = (
            f"The records have {size:,} bytes, and an answer {maximum:,} at most: leave "
            f"out {where}, or create an export."
        )
        details = {"bytes": size, "maximum": maximum, "column": column}
        super().__init__(
            ResourceErrorCode.ANSWER_TOO_LARGE,
            text,
            details | ({"record": record} if record else {}),
        )


@contextmanager
def reading(timezone: str, milliseconds: int, timezone_field: str) -> Iterator[CursorWrapper]:
    """A cursor in a transaction with the settings of `settings_of`; what it writes is undone.

    milliseconds: that each statement may take.
    timezone_field: where a request names the time zone.
    Raises TookTooLong, and InvalidInput for a time zone that this PostgreSQL does not know.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            # One request keeps one core of the database busy at most: the other cores belong to
            # the requests of other organizations.
            limits = {
                "statement_timeout": str(milliseconds),
                "max_parallel_workers_per_gather": "0",
            }
            configure(cursor, settings_of(timezone) | limits)
            yield cursor
            # In a transaction around this one the settings would hold until its end.
            transaction.set_rollback(True)
    except (DatabaseError, psycopg.Error) as error:
        match error.__cause__ or error:
            case psycopg.errors.QueryCanceled():
                raise TookTooLong from error
            case psycopg.errors.InvalidParameterValue():
                raise InvalidInput(unknown_zone(timezone, timezone_field)) from error
        raise


def settings_of(timezone: str) -> dict[str, str]:
    """What a transaction must set, by name, before it reads: how datetimes become texts."""
    return {"TimeZone": timezone, "DateStyle": "ISO, YMD", "IntervalStyle": "iso_8601"}


def configure(cursor: CursorWrapper | psycopg.Cursor, settings: Mapping[str, str]) -> None:
    """Set what holds until the end of the transaction."""
    calls = ", ".join(["set_config(%s, %s, true)"] * len(settings))
    cursor.execute(f"SELECT {calls}", [text for setting in settings.items() for text in setting])
