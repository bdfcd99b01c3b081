"""One attempt of a batch: its phases, on Django's connection of the current thread.

It may be canceled at any moment by another thread. An attempt that dies leaves its staging tables
to maintenance, and what it has committed to the journal, where the next attempt finds it.
"""

import hashlib
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

from batches import row_errors
from batches.context import Context
from batches.execution.phases import Phase, PhaseName, Phases
from batches.lifecycle import limits, staging_tables
from batches.models import Batch, BatchError, BatchLimits
from batches.parsing.base import Input, Parsed
from batches.parsing.corrections import correct
from batches.parsing.errors import InputError
from batches.parsing.opening import open_input
from batches.request.mapping import assign
from batches.spec import (
    JSON_FORMATS,
    MAX_SYNC_RECORDS,
    BatchSpec,
    InputFormat,
    Mode,
)
from batches.staging import Staging
from batches.targets import Target, takes_json
from batches.validation.conversion import CellForm
from batches.validation.validation import Validated, validate
from longshore.api.errors import ApiError, InvalidInput
from longshore.files.storage import file_storage
from longshore.jobs.specs import ObsoleteSpec, refusing_obsolete
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.registry import Resource, registry

logger = logging.getLogger(__name__)

_COUNT = sql.SQL("SELECT count(*), count(DISTINCT row) FROM {}")


class Canceled(Exception):
    """Another thread has canceled the attempt."""


class Attempt:
    """An attempt to execute a batch.

    limits: of the organization.
    phases: the counts so far.
    detected: how the input is read.
    warnings: sentences about ignored parts of the input.
    rows: records of the input; None until they are counted.
    errors, failed_rows: errors of rows, and rows with errors, when they were counted last.
    count_written: returns the fields of the batch that count the written rows, or the records of an
        undo, so far.
    """

    def __init__(self, batch: Batch, claim: str) -> None:
        """Prepare the attempt; nothing is read yet.

        claim: names its staging tables.
        Raises ApiError if the stored spec is not supported any more.
        """
        spec, resource = _executable(batch)
        self.context = Context(batch, spec, resource, Staging(claim))
        self.limits = BatchLimits.applied_to(batch.organization_id)
        self.phases = Phases()
        self.rows: int | None = None
        self.errors = self.failed_rows = 0
        self.detected: dict[str, Any] = {}
        self.warnings: list[str] = []
        self.columns: tuple[Target | None, ...] = ()
        self.headers: list[str] = []
        # Without the ignored keys of JSON that the staging found late: `input` lacks their columns.
        self.staged_headers: list[str] = []
        self.forms: list[CellForm] = []
        self._max_rows = MAX_SYNC_RECORDS if spec.mode is Mode.SYNC else self.limits.records
        # Set if this attempt hashed the input, which was uploaded to a bucket.
        self._sha256 = ""
        self._input: Input | None = None
        self._connections: list[psycopg.Connection] = []
        self._is_canceled = threading.Event()
        self.count_written: Callable[[], dict[str, Any]] = dict
        # Ends what other connections do for the attempt.
        self.on_cancel: list[Callable[[], None]] = []

    def values(self) -> dict[str, Any]:
        """Return the fields of the batch that show the progress."""
        values: dict[str, Any] = {"phases": self.phases.as_json(), **self.count_written()}
        if self.rows is not None:
            values["records_count"] = self.rows
        if self.detected:
            values["detected"] = self.detected
        warnings = [*self.warnings, *self._unstored_errors()]
        if self.detected or warnings:
            values["warnings"] = warnings
        if self._sha256:
            values["input_sha256"] = self._sha256
        return values

    def cancel(self) -> None:
        """Make the attempt end soon with an error. Safe to call from any thread."""
        self._is_canceled.set()
        if self._input is not None:
            self._input.cancel()
        for cancel in self.on_cancel:
            cancel()
        for each in list(self._connections):
            with suppress(psycopg.Error):
                each.cancel_safe(timeout=5)

    def check(self) -> None:
        """Raise Canceled if `cancel` was called: it does not stop statements that start later."""
        if self._is_canceled.is_set():
            raise Canceled

    @contextmanager
    def canceled_after(self, seconds: float) -> Iterator[None]:
        """Cancel the attempt if the block takes longer."""
        timer = threading.Timer(seconds, self.cancel)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            # A timer that has just fired would cancel the next statement.
            timer.join()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let `cancel` cancel the statements of the block. Each thread has a block of its own."""
        connection.ensure_connection()
        running = connection.connection
        self._connections.append(running)
        try:
            yield
        finally:
            self._connections.remove(running)

    def read(self) -> None:
        """Parse the input into `Staging.input`. Raises ApiError if the batch cannot use it."""
        batch, spec = self.context.batch, self.context.spec
        read = partial(file_storage.read_range, batch.input_key or "")
        if not batch.input_sha256:
            self._hash(read(0, batch.input_bytes or 0))
        try:
            self._input = open_input(read, batch.input_bytes or 0, spec.input, batch.input_name)
            self._read(self._input)
        except InputError as error:
            raise ApiError(error.code, error.message) from error

    def validate(self) -> Validated:
        """Validate the parsed rows; store their errors, and plan what to do with the others."""
        self.check()
        rows = self.rows or 0
        phase = self.phases.begin(PhaseName.VALIDATION, rows)
        with transaction.atomic():
            # In place of those of earlier attempts.
            BatchError.objects.filter(batch=self.context.batch)._raw_delete(connection.alias)
            validated = validate(self.cursor(), self.context, self.columns, self.forms)
            found = row_errors.staged(self.context.staging)
            self.cursor().execute(row_errors.store(self.context.batch, found))
        self.warnings += validated.warnings
        self.count_errors()
        phase.end(rows, self.failed_rows)
        return validated

    def cursor(self) -> psycopg.Cursor:
        """Return a cursor of the driver on Django's connection."""
        connection.ensure_connection()
        cursor: psycopg.Cursor = connection.connection.cursor()
        return cursor

    def count_errors(self) -> None:
        """Count the rows with errors, after the validation or the writing."""
        counted = self.cursor().execute(_COUNT.format(self.context.staging.errors)).fetchone()
        self.errors, self.failed_rows = counted or (0, 0)

    def drop_tables(self) -> None:
        """Drop the staging tables of the attempt."""
        staging_tables.drop([self.context.staging.claim])

    def _unstored_errors(self) -> list[str]:
        """Return a warning that the batch does not keep all errors, if it does not."""
        maximum, errors = settings.BATCH_MAX_STORED_ERRORS, self.errors
        if errors <= maximum:
            return []
        return [f"The batch keeps {maximum:,} of {errors:,} errors; its files have all of them."]

    def _read(self, source: Input) -> None:
        def update(phase: Phase) -> None:
            phase.processed = phase.success = source.rows_read

        phase = self.phases.begin(PhaseName.PARSING, update=update)
        # The first part of a JSON file may lack keys that later records have.
        self._assign(source, are_complete=source.detected.format not in JSON_FORMATS)
        parsed = self._stage(source)
        known = len(self.headers)
        self._assign(source)
        if any(self.columns[known:]):
            parsed = self._stage(source)
        if self._max_rows is not None and parsed.rows > self._max_rows:
            if self.context.spec.mode is Mode.SYNC:
                raise limits.too_many_sync_records()
            raise limits.too_many_records(self._max_rows)
        self.rows = parsed.rows
        malformed = parsed.malformed - self._correct(source)
        self.phases.settle()
        phase.end(parsed.rows, malformed)

    def _hash(self, blocks: Iterable[bytes]) -> None:
        """Hash an input that was uploaded to the bucket."""
        digest = hashlib.sha256()
        for block in blocks:
            self.check()
            digest.update(block)
        self._sha256 = digest.hexdigest()

    def _assign(self, source: Input, *, are_complete: bool = True) -> None:
        """Assign targets to the headers. Raises InvalidInput if the batch cannot use them."""
        self.check()
        spec, targets = self.context.spec, self.context.targets
        self.headers = source.headers()
        assigned = assign(self.headers, spec, targets, are_complete=are_complete)
        pairs = zip(self.headers, assigned.targets, strict=True)
        mapping = {header: target.name if target else None for header, target in pairs}
        self.detected = {**source.detected.as_json(), "mapping": mapping}
        self.warnings = [*source.warnings, *assigned.warnings]
        if assigned.problems:
            raise InvalidInput(*assigned.problems)
        self.columns = assigned.targets
        self.context = replace(self.context, ignores_repeated=assigned.ignores_repeated)
        self.forms = cell_forms(source, len(self.headers))

    def _stage(self, source: Input) -> Parsed:
        limit = None if self._max_rows is None else self._max_rows + 1
        self.staged_headers = self.headers
        with transaction.atomic():
            return source.stage(self.cursor(), self.context.staging, self.columns, limit=limit)

    def _correct(self, source: Input) -> int:
        """Apply the corrections. Returns the number of rows that could not be read before."""
        if not self.context.spec.corrections:
            return 0
        cells = enumerate(zip(self.headers, self.columns, strict=True))
        with transaction.atomic():
            return correct(
                self.cursor(),
                self.context.staging,
                self.headers,
                len(self.staged_headers),
                self.context.spec.corrections,
                {
                    header
                    for number, (header, target) in cells
                    if target and source.has_json(number) and takes_json(target)
                },
                has_documents=source.detected.format in JSON_FORMATS,
            )


def cell_forms(source: Input, columns: int) -> list[CellForm]:
    """Return how an input writes the cells of each of its columns."""
    texts = CellForm.SHEET if source.detected.format is InputFormat.XLSX else CellForm.TABLE

    def form(position: int) -> CellForm:
        if source.has_json(position):
            return CellForm.TYPED_JSON if source.is_typed(position) else CellForm.JSON
        return CellForm.TYPED if source.is_typed(position) else texts

    return [form(position) for position in range(columns)]


def failure_values(attempt: Attempt, error: ApiError) -> dict[str, Any]:
    """Return the fields to store of an attempt whose input cannot be used.

    The error of a batch has one message: further problems become warnings.
    """
    values = attempt.values()
    if isinstance(error, InvalidInput) and len(error.problems) > 1:
        others = [problem.message for problem in error.problems if problem.message != error.message]
        values["warnings"] = [*attempt.warnings, *others]
    return values


def _executable(batch: Batch) -> tuple[BatchSpec, Resource]:
    """Return the spec and its resource. Raises ApiError if there are none any more."""
    text = "The batch cannot be executed any more: {}"
    with refusing_obsolete(ResourceErrorCode.INVALID_RESOURCE, text):
        spec = batch.parsed_spec()
        resource = registry.get(spec.resource)
        if resource is None:
            raise ObsoleteSpec(f"there is no resource {spec.resource}.")
    return spec, resource
