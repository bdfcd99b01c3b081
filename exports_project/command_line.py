"""Django's command line: `manage.py`, or `python -m exports_project` in a project of your own.

Starts the embedded database for a command if it does not run.
"""

import os
import sys
import warnings

from django.conf import settings
from django.core.management import execute_from_command_line

from exports_project import completion

COMMANDS_WITHOUT_DATABASE = {
    *("check", "collectstatic", "diffsettings", "help", "makemigrations", "version"),
    *("startapp", "webhook_listen"),
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exports_project.settings")
    if completion.is_requested():
        completion.complete()
    # `makemigrations` needs no database, but warns if it does not run.
    warnings.filterwarnings("ignore", "Got an error checking a consistent", RuntimeWarning)
    words = set(sys.argv[1:])
    command = sys.argv[1] if words else "help"
    needs_database = command not in COMMANDS_WITHOUT_DATABASE and not words & {"-h", "--help"}
    if not needs_database or not settings.EMBEDDED_DATABASE:
        execute_from_command_line(sys.argv)
        return

    # Imported here, because production does not install the embedded servers.
    from exports_project.embedded import servers

    try:
        with servers.database_for_command(settings.LOCAL_DIR):
            execute_from_command_line(sys.argv)
    except servers.ServerError as error:
        sys.exit(str(error))
