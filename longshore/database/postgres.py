"""The oldest PostgreSQL that Longshore supports, and the refusal to start on an older one."""

from django.db import connections
from django.db.utils import NotSupportedError, OperationalError

MIN_VERSION = 16


def unsupported(version: int) -> str | None:
    """Return an error message if a server_version_num such as 150004 is too old, else None."""
    major, minor = divmod(version, 10_000)
    if major >= MIN_VERSION:
        return None
    return (
        f"PostgreSQL {major}.{minor} is too old: Longshore needs PostgreSQL {MIN_VERSION} or "
        "newer. Upgrade the server that DATABASE_URL or EXPORT_DATABASE_URL names."
    )


def problem_of(alias: str) -> str | None:
    """Ask the server of a database. None also where it does not answer: that may pass."""
    connection = connections[alias]
    opened = connection.connection is None
    try:
        connection.ensure_connection()
        return unsupported(connection.connection.info.server_version)
    except NotSupportedError as error:  # Django refuses still older ones.
        return f"{error}. Longshore needs PostgreSQL {MIN_VERSION} or newer."
    except OperationalError:
        return None
    finally:
        # A process that forks later must not share it.
        if opened:
            connection.close()


def require_supported() -> None:
    """End the process with one line if a database is too old."""
    for alias in connections:
        if problem := problem_of(alias):
            raise SystemExit(f"Longshore: {problem}")
