"""Reads on Django's connection that end in time."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg
from django.db import DatabaseError, connection, transaction
from django.db.backends.utils import CursorWrapper

from accounts.errors import ApiError, ErrorCode, InvalidInput, Problem


class TookTooLong(ApiError):
    """The database was told to stop."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.TIMEOUT)


@contextmanager
def reading(
    settings: Mapping[str, str], milliseconds: int, timezone_field: str
) -> Iterator[CursorWrapper]:
    """A cursor in a transaction with settings of its own, among them the TimeZone.

    milliseconds: that each statement may take.
    timezone_field: where a request names the time zone.
    Raises TookTooLong, and InvalidInput for a time zone that this PostgreSQL does not know.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            configure(cursor, {**settings, "statement_timeout": str(milliseconds)})
            yield cursor
    except (DatabaseError, psycopg.Error) as error:
        match error.__cause__ or error:
            case psycopg.errors.QueryCanceled():
                raise TookTooLong from error
            case psycopg.errors.InvalidParameterValue():
                zone = settings["TimeZone"]
                text = f"Unknown time zone: {zone}"
                raise InvalidInput(
                    Problem(ErrorCode.INVALID_TIMEZONE, timezone_field, zone, text)
                ) from error
        raise


def configure(cursor: CursorWrapper | psycopg.Cursor, settings: Mapping[str, str]) -> None:
    """Set what holds until the end of the transaction."""
    calls = ", ".join(["set_config(%s, %s, true)"] * len(settings))
    cursor.execute(f"SELECT {calls}", [text for setting in settings.items() for text in setting])
