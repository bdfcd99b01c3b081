"""`manage.py export` writes the same file as the API, without a worker or a broker."""

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from exports.formats import formats
from exports.formats.base import FormatLimit
from exports.lifecycle.creation import count_rows
from exports.reading.stream import ExportStream
from exports.request.body import DATE_FROM, DATE_TO, TYPE
from exports.request.parser import parse_export
from exports.spec import ExportSpec
from longshore.api.command_line import (
    exit_codes_of_signals,
    find_organization,
    invalid_arguments,
)
from longshore.api.errors import InvalidInput
from longshore.files.compression import Compression
from longshore.resources.export_types import export_types
from longshore.resources.registry import registry


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"invalid JSON: {error}") from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError("not a JSON object")
    return value


def _paths(text: str) -> list[str]:
    return [path.strip() for path in text.split(",")] if text.strip() else []


class Command(BaseCommand):
    help = "Export the records of an organization to a file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("resource", nargs="?", help=", ".join(registry.names()))
        parser.add_argument(
            "--type", metavar="TYPE", help=f"named export: {', '.join(export_types.codes())}"
        )
        parser.add_argument("--date-from", metavar="DATE", help="start of the date range")
        parser.add_argument(
            "--date-to",
            metavar="DATE",
            help="end of the date range, inclusive: 2025-03-31 includes the whole day",
        )
        parser.add_argument("--organization", required=True, metavar="SLUG")
        parser.add_argument("--format", default="csv", help=f"{', '.join(formats)}; default: csv")
        parser.add_argument(
            "--compression", default="none", help=f"{', '.join(Compression)}; default: none"
        )
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
            "-o", "--output", default="-", metavar="FILE", help="default: standard output"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with exit_codes_of_signals():
            self.export(options)

    def export(self, options: dict[str, Any]) -> None:
        organization = find_organization(options["organization"])
        names = (
            *("resource", TYPE, DATE_FROM, DATE_TO, "format", "compression", "options", "filters"),
            *("csv_field_options", "includes", "fields", "dry_data"),
        )
        try:
            body = {name: options[name] for name in names}
            spec = parse_export(body, organization.timezone)
            total = count_rows(spec, organization.pk)
        except InvalidInput as invalid:
            raise invalid_arguments(invalid) from None
        for warning in spec.warnings:
            self.stderr.write(warning)
        stream = ExportStream(spec, organization.pk)
        try:
            _write(stream, options["output"], spec, total)
        except FormatLimit as limit:
            raise CommandError(str(limit)) from None
        except OSError as error:
            if options["output"] == "-":
                # Otherwise the interpreter would fail again when it flushes the buffer at exit.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            if isinstance(error, BrokenPipeError):
                sys.exit(128 + signal.SIGPIPE)
            raise CommandError(f"{options['output']}: {error.strerror}") from None


def _write(stream: ExportStream, output: str, spec: ExportSpec, total: int | None) -> None:
    """Write to a file that appears only when it is complete, a pipe, or standard output."""
    with tqdm(
        total=total, unit=" rows", unit_scale=True, desc=spec.resource, disable=None
    ) as progress:
        if output == "-":
            _copy(stream, sys.stdout.buffer, progress)
            return
        if Path(output).exists() and not Path(output).is_file():
            # A pipe or a device: replacing it by a file would break its reader.
            with Path(output).open("wb") as file:
                _copy(stream, file, progress)
            return
        target = Path(os.path.realpath(output))
        partial = target.with_name(f".{uuid4().hex}.partial")
        try:
            with partial.open("xb") as file:
                _copy(stream, file, progress)
            partial.rename(target)
        finally:
            partial.unlink(missing_ok=True)


def _copy(stream: ExportStream, file: BinaryIO, progress: "tqdm[Any]") -> None:
    for block in stream:
        file.write(block)
        progress.update(stream.rows - progress.n)
    file.flush()
