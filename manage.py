#!/usr/bin/env python
# PYTHON_ARGCOMPLETE_OK
"""Django's command line. Starts the embedded database for a command if it does not run."""

from exports_project.command_line import main

if __name__ == "__main__":
    main()
