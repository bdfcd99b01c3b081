"""Fields that the requests of several kinds of job have: time zone, datetime pattern, metadata."""

from typing import Any

from longshore.api.body.declaration import Custom, FreeObject
from longshore.api.errors import Problems, display_value
from longshore.files.datetime_patterns import (
    ACCEPTED,
    InvalidPattern,
    check_pattern,
    suggest_pattern,
)
from longshore.jobs.errors import JobErrorCode
from longshore.resources.timezones import read_timezone

MAX_METADATA_CHARACTERS = 10_000


def timezone_field(help_text: str) -> Custom:
    """Return the field of a time zone."""
    return Custom(
        "timezone",
        help_text,
        schema={"type": "string"},
        accepts="an IANA time zone",
        hook=read_timezone,
    )


def datetime_format_field(help_text: str) -> Custom:
    """Return the field of a datetime pattern."""
    return Custom(
        "datetime_format",
        help_text,
        schema={"type": "string"},
        accepts="an LDML pattern",
        hook=_read_datetime_format,
    )


def metadata_field(noun: str) -> FreeObject:
    """Return the field of the client's own data. noun: the job, such as `export`."""
    return FreeObject(
        "metadata",
        f"Your own data, returned with the {noun} and sent with its webhooks. At most "
        f"{MAX_METADATA_CHARACTERS:,} characters as JSON.",
        max_characters=MAX_METADATA_CHARACTERS,
    )


def _read_datetime_format(value: Any, path: str, problems: Problems) -> str | None:
    try:
        check_pattern(value if isinstance(value, str) else "")
    except InvalidPattern as unknown:
        text = f"{display_value(value)} is not a datetime pattern: {unknown}."
        if isinstance(value, str) and (meant := suggest_pattern(value)):
            text += f" Did you mean {display_value(meant)}?"
        problems.report(JobErrorCode.INVALID_DATETIME_FORMAT, path, value, text, ACCEPTED)
        return None
    return str(value)
