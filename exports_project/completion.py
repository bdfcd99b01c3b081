"""Shell completion of `manage.py`: commands, options and values.

The shell calls the program with the command line in COMP_LINE, as `register-python-argcomplete`
tells it to.
"""

import os
from argparse import ArgumentParser

import argcomplete
import django
from django.core.management import get_commands, load_command_class


def is_requested() -> bool:
    return "_ARGCOMPLETE" in os.environ


def complete() -> None:
    """Write the possible completions of the command line for the shell, and exit."""
    django.setup()
    line, point = os.environ["COMP_LINE"], int(os.environ["COMP_POINT"])
    *_, words, _ = argcomplete.lexers.split_line(line, point)
    parser = ArgumentParser()
    commands = parser.add_subparsers()
    for name, package in sorted(get_commands().items()):
        parents: list[ArgumentParser] = []
        # Importing every command would take seconds.
        if name in words:
            parents = [load_command_class(package, name).create_parser("manage.py", name)]
        commands.add_parser(name, parents=parents, add_help=False)
    argcomplete.autocomplete(parser)
