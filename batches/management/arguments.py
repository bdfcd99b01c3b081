"""The arguments of `import_batch`, and the body of the request for which they stand."""

import argparse
import json
from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

from django.core.management.base import CommandParser

from batches.models import FileKind
from batches.request.parser import writable_resources
from batches.spec import QUOTES, Action, Duplicates, InputFormat, Mode, OnError, Only
from longshore.api.command_line import add_organization, offer
from longshore.files.compression import Compression

EXAMPLES = f"""\
examples:
  Check a file, and write nothing:
    manage.py import_batch contact people.csv --organization acme --dry-run
  Name the columns of headers; ignore one:
    manage.py import_batch contact people.csv --organization acme \\
        --mapping 'E-mail=email' --mapping 'Shoe size='
  Read what European spreadsheets write:
    manage.py import_batch order orders.csv --organization acme --delimiter ';' \\
        --decimal-separator , --datetime-format dd.MM.yyyy --timezone Europe/Berlin
  Write all rows or none, from standard input:
    zcat people.jsonl.gz | manage.py import_batch contact - --organization acme --on-error abort
  Replace all records, after a dry run has shown how many are deleted:
    manage.py import_batch contact people.xlsx --organization acme --action overwrite \\
        --confirm-deletes 1200

exit codes:
  0  completed, and no row has errors
  1  failed, or rows have errors: see the errors, and the file `{FileKind.FAILED}`
  2  invalid arguments
"""


def add_arguments(parser: CommandParser) -> None:
    text = ", ".join(writable_resources())
    offer(parser.add_argument("resource", help=text), writable_resources)
    parser.add_argument("file", help="the file to read; - for standard input")
    add_organization(parser)
    _add_choices(parser, "--action", Action, Action.MERGE)
    _add_choices(parser, "--only", Only, "both")
    parser.add_argument(
        "--mapping",
        action="append",
        default=[],
        type=_header_and_column,
        metavar="HEADER=COLUMN",
        help="the column that a header sets; HEADER= ignores the header; repeatable",
    )
    parser.add_argument(
        "--property",
        action="append",
        default=[],
        type=_name_and_value,
        metavar="COLUMN=VALUE",
        help="a value for records without one, as text, or a list or object as JSON; repeatable",
    )
    _add_choices(parser, "--format", InputFormat, "detected")
    _add_choices(parser, "--compression", Compression, "detected")
    parser.add_argument("--delimiter", help="of CSV; default: detected")
    _add_choices(parser, "--quote", QUOTES, "detected")
    parser.add_argument("--encoding", help="of CSV, such as windows-1252; default: detected")
    text = "of datetimes without an offset; default: the organization's"
    timezone = parser.add_argument("--timezone", metavar="ZONE", help=text)
    offer(timezone, available_timezones)
    parser.add_argument(
        "--datetime-format",
        metavar="PATTERN",
        help="such as dd/MM/yyyy HH:mm; default: ISO 8601",
    )
    parser.add_argument("--decimal-separator", metavar="CHARACTER", help="default: .")
    parser.add_argument(
        "--on-error",
        type=_on_error,
        metavar="WHAT",
        help="skip: write the other rows; abort: write all rows or none; a number: write nothing "
        "if more rows have errors; default: skip",
    )
    _add_choices(parser, "--duplicates", Duplicates, Duplicates.IGNORE_ALL)
    parser.add_argument(
        "--confirm-deletes",
        type=int,
        metavar="NUMBER",
        help="records that overwrite may delete although they are more than half of all",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="do everything except writing the records"
    )


def request_body(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of the request for a batch that the arguments describe."""
    names = (
        *("resource", "action", "only", "format", "compression", "timezone", "datetime_format"),
        *("decimal_separator", "on_error", "confirm_deletes", "dry_run"),
    )
    csv = {name: options[name] for name in ("delimiter", "quote", "encoding")}
    body = {name: options[name] for name in names} | {
        "mode": Mode.ASYNC.value,
        "duplicate_handling": options["duplicates"],
        "mapping": dict(options["mapping"]),
        "properties": dict(options["property"]),
        "csv": _given(csv),
    }
    return _given(body)


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, {})}


def _add_choices(parser: CommandParser, flag: str, choices: Any, default: str) -> None:
    """Add an argument whose value the parser of requests checks, which suggests corrections."""
    name = flag.strip("-").upper()
    text = f"{', '.join(choices)}; default: {default}"
    offer(parser.add_argument(flag, metavar=name, help=text), lambda: choices)


def _header_and_column(text: str) -> tuple[str, str | None]:
    """Return a header, which may contain `=`, and its column; None ignores the header."""
    header, separator, column = text.rpartition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form HEADER=COLUMN")
    return header, column or None


def _name_and_value(text: str) -> tuple[str, Any]:
    """Return a column and its value: a text, unless it is a list or an object as JSON."""
    name, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form COLUMN=VALUE")
    if value.startswith(("[", "{")):
        try:
            return name, json.loads(value)
        except ValueError:
            return name, value
    return name, value


def _on_error(text: str) -> str | dict[str, int]:
    """Return the value of `on_error` in a request: a word, or the maximum number of errors."""
    if text.isdecimal():
        return {"max_errors": int(text)}
    if text not in list(OnError):
        accepted = f"{', '.join(OnError)} or a number"
        raise argparse.ArgumentTypeError(f"{text!r} is not valid (accepted: {accepted})")
    return text
