"""`manage.py import_batch` runs a batch in this process, without a worker or a broker.

The batch is recorded and journaled like any other: the API and the admin show it and can undo it.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
)
from rich.console import Console

from batches.execution.outcome import Outcome
from batches.execution.runner import BatchRunner
from batches.lifecycle import creation
from batches.lifecycle.transitions import batch_lifecycle
from batches.management import arguments, report
from batches.management.display import PhaseDisplay
from batches.models import Batch, Via
from batches.request.parser import parse_batch
from batches.spec import BatchSpec
from longshore.accounts.models import Organization
from longshore.api.command_line import (
    USAGE,
    HelpFormatter,
    exit_codes_of_signals,
    find_organization,
    invalid_arguments,
)
from longshore.api.errors import ApiError, InvalidInput
from longshore.api.progress import console_of, progress_bars
from longshore.jobs import actions
from longshore.jobs.runner import Work
from longshore.jobs.statuses import Status

_BLOCK_BYTES = 1 << 20
_STANDARD_INPUT = "-"


class _Runner(BatchRunner):
    """Runs a batch and shows its phases whenever it reports them."""

    def __init__(self, display: PhaseDisplay) -> None:
        super().__init__(batch_lifecycle)
        self._display = display

    def prepare(self, job: Batch) -> Work[Outcome]:
        work = super().prepare(job)

        def values() -> Mapping[str, Any]:
            reported = work.values()
            self._display.show(reported["phases"])
            return reported

        return replace(work, values=values)


class Command(BaseCommand):
    help = "Create, update, replace or delete the records of an organization from a file."

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        options |= {"epilog": arguments.EXAMPLES, "formatter_class": HelpFormatter}
        return super().create_parser(prog_name, subcommand, **options)

    def add_arguments(self, parser: CommandParser) -> None:
        arguments.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        with exit_codes_of_signals():
            self.import_batch(options)

    def import_batch(self, options: Mapping[str, Any]) -> None:
        organization = find_organization(options["organization"])
        body = arguments.request_body(options)
        try:
            spec = parse_batch(body, organization, has_file=True).spec
        except InvalidInput as invalid:
            raise invalid_arguments(invalid) from None
        console = console_of(options)
        with progress_bars(console) as progress:
            display = PhaseDisplay(console, progress)
            batch = self._create(organization, body, spec, options["file"], display)
            try:
                _Runner(display).run_claimed(batch)
                batch.refresh_from_db()
                display.end(batch.phases)
            except BaseException:
                self._cancel(batch, console)
                raise
        self._report(batch, console)

    def _create(
        self,
        organization: Organization,
        body: Mapping[str, Any],
        spec: BatchSpec,
        path: str,
        display: PhaseDisplay,
    ) -> Batch:
        """Store the file, and a batch that this process has claimed."""
        try:
            if path == _STANDARD_INPUT:
                blocks = display.storing(_blocks(sys.stdin.buffer), None)
                source = creation.store(organization, "standard input", Via.FILE, blocks)
            else:
                with Path(path).open("rb") as file:
                    size = Path(path).stat().st_size
                    blocks = display.storing(_blocks(file), size)
                    source = creation.store(organization, Path(path).name, Via.FILE, blocks)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}", returncode=USAGE) from None
        except ApiError as error:
            raise CommandError(error.message) from None
        try:
            batch, _ = creation.create(organization, None, body, spec, source, claim=True)
        except BaseException as error:
            source.discard()
            if isinstance(error, ApiError):
                raise CommandError(error.message) from None
            raise
        return batch

    def _cancel(self, batch: Batch, console: Console) -> None:
        """Cancel a batch whose attempt was interrupted."""
        batch.refresh_from_db()
        try:
            actions.cancel(batch_lifecycle, batch)
        except ApiError:
            # It has ended meanwhile.
            return
        text = f"{batch} was canceled. Rows that it has written stay; it can be undone or retried."
        console.print(text, style="yellow")

    def _report(self, batch: Batch, console: Console) -> None:
        """Show the result of a batch. Raises CommandError if it is not completed."""
        if batch.status == Status.QUEUED:
            # No worker is to continue a batch whose command has ended.
            event = batch.events.last()
            self._cancel(batch, console)
            raise CommandError(event.reason if event else "The attempt failed.")
        for warning in batch.warnings:
            console.print(warning, style="yellow")
        dry_run = " (dry run: nothing was written)" if batch.dry_run else ""
        self.stdout.write(f"{batch}: {batch.get_status_display()}{dry_run}")
        for lines in (report.outcome_lines, report.error_lines, report.place_lines):
            if shown := "\n".join(lines(batch)):
                self.stdout.write(f"{shown}\n\n")
        if batch.status != Status.COMPLETED:
            raise CommandError(batch.reason)
        if batch.failed_count:
            sys.exit(1)


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    while block := file.read(_BLOCK_BYTES):
        yield block
