"""`python -m exports_project`: the commands of `manage.py`, from any folder."""

from exports_project.command_line import main

main()
