"""The minimum version of PostgreSQL, and the refusal to start with an older server."""

from django.db import connections
from django.db.utils import NotSupportedError, OperationalError

MIN_VERSION = 16


def unsupported(version: int) -> str | None:
    """Return an error message if the server is too old, else None.

    version: the `server_version_num`, such as 150004.
    """
    major, minor = divmod(version, 10_000)
    if major >= MIN_VERSION:
        return None
    return (
        f"PostgreSQL {major}.{minor} is too old: Longshore needs PostgreSQL {MIN_VERSION} or "
        "newer. Upgrade the server that DATABASE_URL or EXPORT_DATABASE_URL names."
    )


def find_problem(alias: str) -> str | None:
    """Check the server of a database. Return an error message or None.

    Ignores a server that does not respond, because the outage may be temporary.
    """
    connection = connections[alias]
    opened = connection.connection is None
    try:
        connection.ensure_connection()
        return unsupported(connection.connection.info.server_version)
    except NotSupportedError as error:  # Django itself refuses even older servers.
        return f"{error}. Longshore needs PostgreSQL {MIN_VERSION} or newer."
    except OperationalError:
        return None
    finally:
        # Close it, so that a process that forks later does not share it.
        if opened:
            connection.close()


def require_supported() -> None:
    """Check all databases. Raises SystemExit with one line if a server is too old."""
    for alias in connections:
        if problem := find_problem(alias):
            raise SystemExit(f"Longshore: {problem}")
