"""`manage.py export` writes the same file as the API, without a worker or a broker."""

import argparse
import json
import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4
from zoneinfo import available_timezones

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import filesizeformat
from rich.console import Console
from rich.progress import Progress, TaskID

from exports.formats import formats
from exports.formats.base import FormatLimit
from exports.lifecycle.creation import count_rows
from exports.reading.stream import ExportStream
from exports.request.body import ALL_COLUMNS, DATE_FROM, DATE_TO, PRESET, TYPE
from exports.request.file_presets import FilePreset
from exports.request.parser import parse_export
from exports.spec import OUTPUT, ExportSpec
from longshore.api.command_line import (
    USAGE,
    HelpFormatter,
    add_organization,
    exit_codes_of_signals,
    find_organization,
    invalid_arguments,
    offer,
)
from longshore.api.errors import InvalidInput
from longshore.api.progress import console_of, progress_bars
from longshore.files.compression import Compression
from longshore.resources.export_types import ExportType, export_types
from longshore.resources.registry import registry

_STANDARD_OUTPUT = "-"
# Characters of a wrong argument that an error shows.
_MAX_SHOWN = 80
# The options of the file that have an argument of their own.
_OUTPUT = ("columns", "timezone", PRESET)
_BINARY = (
    "A terminal cannot show {} files of this kind. Write the file with --output FILE, or to a pipe."
)


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"invalid JSON: {error}") from None
    if not isinstance(value, dict):
        shown = text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
        raise argparse.ArgumentTypeError(
            f'{shown!r} is not a JSON object, such as {{"status": "delivered"}}'
        )
    return value


def _paths(text: str) -> list[str]:
    return [path.strip() for path in text.split(",")] if text.strip() else []


def _columns(text: str) -> str | dict[str, str | bool]:
    """Read `id,name=Full name` as an object of columns; `all` stays as it is."""
    if text == ALL_COLUMNS:
        return text
    pairs = (path.partition("=") for path in _paths(text))
    return {name: header if equals else True for name, equals, header in pairs}


def _examples() -> str:
    width = max(map(len, export_types.codes()), default=0)
    types = "\n".join(f"  {each.code:{width}}  {_describe(each)}" for each in export_types.declared)
    return f"""\
examples:
  All shipments, with the default columns:
    manage.py export shipment --organization acme --output shipments.csv
  Three columns, one with a header, for Excel in Germany:
    manage.py export shipment --organization acme --columns 'id,status,created_at=Created' \\
        --timezone Europe/Berlin --preset excel \\
        --csv-field-options '{{"decimal_separator": ","}}' --output shipments.csv
  The newest thousand, compressed, to a pipe:
    manage.py export shipment --organization acme --format jsonl --compression zstd \\
        --options '{{"limit": 1000, "order_by": "-created_at"}}' | zstd -d | head
  A named export of a quarter:
    manage.py export --type order_list --organization acme --format xlsx \\
        --date-from 2025-01-01 --date-to 2025-03-31 --output orders.xlsx

named exports:
{types}
"""


def _describe(export_type: ExportType) -> str:
    """Return the name of a named export, its resource, the number of columns and the date field."""
    date = f", dates of {export_type.date}" if export_type.date else ""
    number = len(export_type.columns)
    return f"{export_type.name}: {export_type.resource}, {number} columns{date}"


class Command(BaseCommand):
    help = "Export the records of an organization to a file."

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        options |= {"epilog": _examples(), "formatter_class": HelpFormatter}
        return super().create_parser(prog_name, subcommand, **options)

    def add_arguments(self, parser: CommandParser) -> None:
        resource = parser.add_argument("resource", nargs="?", help=", ".join(registry.names()))
        offer(resource, registry.names)
        text = "a named export: see the list below"
        offer(parser.add_argument("--type", metavar="TYPE", help=text), export_types.codes)
        parser.add_argument(
            "--date-from", metavar="DATE", help="start of the date range: an ISO date or datetime"
        )
        parser.add_argument(
            "--date-to",
            metavar="DATE",
            help="end of the date range, inclusive: 2025-03-31 includes the whole day",
        )
        add_organization(parser)
        text = f"{', '.join(formats)}; default: csv"
        offer(parser.add_argument("--format", default="csv", help=text), formats.keys)
        text = f"{', '.join(Compression)}; default: none"
        compression = parser.add_argument("--compression", default="none", help=text)
        offer(compression, lambda: Compression)
        parser.add_argument(
            "--columns",
            type=_columns,
            metavar="COLUMNS",
            help=f"names separated by commas, each perhaps with a header (name=Full name), or "
            f"{ALL_COLUMNS}; default: those of the resource or of the named export",
        )
        text = "such as America/New_York; default: that of the organization"
        timezone = parser.add_argument("--timezone", metavar="ZONE", help=text)
        offer(timezone, available_timezones)
        text = f"of a CSV file: {', '.join(FilePreset)}; default: iso, of named exports excel"
        offer(parser.add_argument("--preset", help=text), lambda: FilePreset)
        for name in ("options", "filters", "csv_field_options"):
            flag = f"--{name.replace('_', '-')}"
            text = f"`{name}` of a request to the API, as JSON"
            parser.add_argument(flag, type=_json_object, default={}, metavar="JSON", help=text)
        for name in ("includes", "fields"):
            text = f"`{name}` of a request to the API, separated by commas"
            parser.add_argument(f"--{name}", type=_paths, metavar="PATHS", help=text)
        parser.add_argument(
            "--dry-data",
            action="store_true",
            help="leave out ids and empty values",
        )
        parser.add_argument(
            *("-o", "--output"),
            default=_STANDARD_OUTPUT,
            metavar="FILE",
            help="default: standard output",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with exit_codes_of_signals():
            self.export(options)

    def export(self, options: dict[str, Any]) -> None:
        organization = find_organization(options["organization"])
        names = (
            *("resource", TYPE, DATE_FROM, DATE_TO, "format", "compression", "options", "filters"),
            *("includes", "fields", "dry_data"),
        )
        output = {name: options[name] for name in _OUTPUT if options[name] is not None}
        try:
            body = {name: options[name] for name in names}
            body[OUTPUT] = {**options[OUTPUT], **output}
            spec = parse_export(body, organization.timezone)
            total = count_rows(spec, organization.pk)
        except InvalidInput as invalid:
            raise invalid_arguments(invalid) from None
        if options["output"] == _STANDARD_OUTPUT and sys.stdout.isatty() and _is_binary(spec):
            raise CommandError(_BINARY.format(spec.format), returncode=USAGE)
        console = console_of(options)
        for warning in spec.warnings:
            console.print(warning, style="yellow")
        stream = ExportStream(spec, organization.pk)
        try:
            size = _write(stream, options["output"], spec, total, console)
        except FormatLimit as limit:
            raise CommandError(str(limit)) from None
        except OSError as error:
            if options["output"] == _STANDARD_OUTPUT:
                # Otherwise the interpreter would fail again when it flushes the buffer at exit.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            if isinstance(error, BrokenPipeError):
                sys.exit(128 + signal.SIGPIPE)
            raise CommandError(f"{options['output']}: {error.strerror}") from None
        if options["output"] != _STANDARD_OUTPUT:
            rows = "1 row" if stream.rows == 1 else f"{stream.rows:,} rows"
            bytes_text = filesizeformat(size).replace("\xa0", " ")
            console.print(f"Wrote {options['output']}: {rows}, {bytes_text}.", style="green")


def _is_binary(spec: ExportSpec) -> bool:
    return bool(formats[spec.format].compressed_inside) or spec.compression != Compression.NONE


def _write(
    stream: ExportStream, output: str, spec: ExportSpec, total: int | None, console: Console
) -> int:
    """Write to a file that appears only when it is complete, a pipe, or standard output.

    Returns the number of bytes.
    """
    is_shown = output == _STANDARD_OUTPUT and sys.stdout.isatty()
    with progress_bars(console, is_hidden=is_shown) as progress:
        copy = partial(
            _copy, stream, progress, progress.add_task(spec.resource, total=total, unit="rows")
        )
        if output == _STANDARD_OUTPUT:
            return copy(sys.stdout.buffer)
        if Path(output).exists() and not Path(output).is_file():
            # A pipe or a device: replacing it by a file would break its reader.
            with Path(output).open("wb") as file:
                return copy(file)
        target = Path(os.path.realpath(output))
        temporary = target.with_name(f".{uuid4().hex}.partial")
        try:
            with temporary.open("xb") as file:
                size = copy(file)
            temporary.rename(target)
            return size
        finally:
            temporary.unlink(missing_ok=True)


def _copy(stream: ExportStream, progress: Progress, task: TaskID, file: BinaryIO) -> int:
    size = 0
    for block in stream:
        file.write(block)
        size += len(block)
        progress.update(task, completed=stream.rows)
    file.flush()
    return size
