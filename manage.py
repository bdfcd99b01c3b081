#!/usr/bin/env python
"""Django's command line; with the embedded database it starts the server where none runs."""

import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line

WITHOUT_DATABASE = {
    *("check", "collectstatic", "diffsettings", "help", "makemigrations", "version"),
    "webhook_listen",
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exports_project.settings")
    words = set(sys.argv[1:])
    command = sys.argv[1] if words else "help"
    if command in WITHOUT_DATABASE or words & {"-h", "--help"} or not settings.EMBEDDED_DATABASE:
        execute_from_command_line(sys.argv)
        return

    from exports_project.embedded import servers

    try:
        with servers.database_for_command(settings.LOCAL_DIR):
            execute_from_command_line(sys.argv)
    except servers.ServerError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
