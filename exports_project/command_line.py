"""Django's command line: `manage.py`, or `python -m exports_project` in a project of your own.

Starts the embedded database for a command if it does not run.
"""

import os
import sys
import warnings
from collections.abc import Sequence

from django.conf import settings
from django.core.management import execute_from_command_line

from exports_project import completion

COMMANDS_WITHOUT_DATABASE = {
    *("check", "collectstatic", "diffsettings", "help", "makemigrations", "version"),
    *("startapp", "webhook_listen"),
}
# `check` uses only the databases that this option names.
DATABASE_OPTION = "--database"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exports_project.settings")
    if completion.is_requested():
        completion.complete()
    # `makemigrations` needs no database, but warns if it does not run.
    warnings.filterwarnings("ignore", "Got an error checking a consistent", RuntimeWarning)
    if not _needs_database(sys.argv[1:]) or not settings.EMBEDDED_DATABASE:
        execute_from_command_line(sys.argv)
        return

    # Imported here, because production does not install the embedded servers.
    from exports_project.embedded import servers

    try:
        with servers.database_for_command(settings.LOCAL_DIR):
            execute_from_command_line(sys.argv)
    except servers.ServerError as error:
        sys.exit(str(error))


def _needs_database(words: Sequence[str]) -> bool:
    """Return whether a command connects to the database. words: its name and its arguments."""
    command, *arguments = words or ["help"]
    if {"-h", "--help"} & set(words):
        return False
    options = {word.partition("=")[0] for word in arguments}
    return command not in COMMANDS_WITHOUT_DATABASE or (
        command == "check" and DATABASE_OPTION in options
    )
