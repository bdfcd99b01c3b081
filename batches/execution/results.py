"""Writes the files of an attempt: failed and unprocessed rows, errors, and the result of each row.

PostgreSQL writes the rows; they are copied to the storage in blocks, and verified there.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from batches import row_errors
from batches.execution.attempt import Attempt
from batches.execution.error_columns import quoted, source_with_errors, with_errors
from batches.execution.row_selection import RowSelection
from batches.lifecycle.storage import BATCH_STORAGE
from batches.merging.journal import Journal
from batches.models import BatchError, BatchFile, FileKind, JournalEntry
from batches.request.mapping import ERRORS_HEADER
from batches.spec import InputFormat
from batches.staging import OUTCOMES
from batches.validation.repeated import is_grouped
from longshore.database.copying import BLOCK_BYTES, UNQUOTED
from longshore.files.formulas import escape_formula, escape_formula_sql, escape_inside_cells
from longshore.files.verification import save_verified
from longshore.jobs.files import name_suffix

_CONTENT_TYPES = {
    InputFormat.CSV: "text/csv; charset=utf-8",
    InputFormat.JSON: "application/json",
    InputFormat.JSONL: "application/x-ndjson",
}


@dataclass(frozen=True)
class _Shape:
    """How the rows of the input are written again: in its format, if that is a text format.

    is_of_input: whether the input has this format.
    """

    format: InputFormat
    is_of_input: bool
    delimiter: str
    encoding: str
    bom: bool


class Results:
    """The files of one attempt, on the connection of its thread."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._context = attempt.context
        self._files: list[BatchFile] = []
        # Of the current file.
        self._rows = 0
        self._shape = _shape(attempt.detected)
        has_groups = is_grouped(attempt.context, attempt.columns)
        self._selection = RowSelection(attempt.context, has_groups)

    def write(self, *, stopped: bool) -> list[BatchFile]:
        """Write and verify the files. Returns them, not yet saved in the database.

        stopped: whether the batch was stopped before it wrote its rows.
        Raises DamagedFile, and what the storage and the database raise.
        """
        if self._attempt.errors:
            self._write_errors(row_errors.staged(self._context.staging))
            self._write_rows(FileKind.FAILED)
        if not stopped:
            self._save(FileKind.RESULT, InputFormat.JSONL, self._copy(self._result(), UNQUOTED))
            return self._files
        self._write_rows(FileKind.UNPROCESSED)
        # Of earlier attempts.
        if JournalEntry.objects.filter(batch=self._context.batch).exists():
            self._write_journal()
        return self._files

    def write_undo(self) -> list[BatchFile]:
        """Write the files of a batch that undoes another one, which has no input."""
        self._write_stored_errors()
        self._write_journal()
        return self._files

    def write_interrupted(self, *, has_input: bool) -> list[BatchFile]:
        """Write the files of a batch whose last attempt was interrupted: the errors that the batch
        keeps, the rows that no attempt wrote, if there is an input, and those that were written.

        The tables `input`, `malformed`, `errors`, and `groups`, if needed, exist.
        """
        self._write_stored_errors()
        if has_input:
            self._write_rows(FileKind.UNPROCESSED)
        self._write_journal()
        return self._files

    def _write_journal(self) -> None:
        """Write what became of the rows that the journal names."""
        outcomes = sql.SQL("SELECT *, 0 AS rank FROM ({}) AS written").format(self._outcomes())
        lines = sql.SQL(
            "SELECT row_to_json(line) FROM (SELECT row, id, outcome FROM ({}) AS outcomes"
            " ORDER BY row) AS line"
        ).format(self._selection.of_all_rows(outcomes))
        self._save(FileKind.RESULT, InputFormat.JSONL, self._copy(lines, UNQUOTED))

    # --- Errors ------------------------------------------------------------------------------

    def _write_stored_errors(self) -> None:
        if BatchError.objects.filter(batch=self._context.batch).exists():
            self._write_errors(row_errors.stored(self._context.batch))

    def _write_errors(self, errors: sql.Composable) -> None:
        """Write the errors of a query, see `row_errors.staged`."""
        names = [sql.Identifier(name) for name in row_errors.COLUMNS]
        texts = [
            escape_formula_sql(name) if text in ("column", "value", "message") else name
            for name, text in zip(names, row_errors.COLUMNS, strict=True)
        ]
        selected = sql.SQL("SELECT {} FROM ({}) AS error ORDER BY row, id")
        header = f"{','.join(row_errors.COLUMNS)}\n".encode()
        rows = self._copy(selected.format(sql.SQL(", ").join(texts), errors), "FORMAT csv")
        self._save(FileKind.ERRORS, InputFormat.CSV, _after(header, rows))
        lines = sql.SQL("SELECT row_to_json(line) FROM ({}) AS line").format(
            selected.format(sql.SQL(", ").join(names), errors)
        )
        self._save(FileKind.ERRORS, InputFormat.JSONL, self._copy(lines, UNQUOTED))

    # --- Rows of the input -------------------------------------------------------------------

    def _write_rows(self, kind: FileKind) -> None:
        """Write rows of the input in its own shape. A failed row also has its errors."""
        shape = self._shape
        if shape.format is InputFormat.CSV:
            blocks = self._csv_rows(kind)
        else:
            blocks = self._json_rows(kind)
            if shape.format is InputFormat.JSON:
                blocks = _as_array(blocks)
        self._save(kind, shape.format, blocks)

    def _csv_rows(self, kind: FileKind) -> Iterator[bytes]:
        shape, staging = self._shape, self._context.staging
        options = f"FORMAT csv, DELIMITER {sql.Literal(shape.delimiter).as_string(None)}"
        is_failed = kind == FileKind.FAILED
        escapes = self._context.spec.input.unescape_formulas
        # The input may be the corrected file of failed rows of another batch.
        columns = [
            (header, staging.column(number))
            for number, (header, target) in enumerate(
                zip(self._attempt.headers, self._attempt.columns, strict=True)
            )
            if not (is_failed and header == ERRORS_HEADER and target is None)
        ]
        headers = [escape_formula(each) if escapes else each for each, _ in columns]
        headers += [ERRORS_HEADER] if is_failed else []
        cells = [cell for _, cell in columns]
        texts = [escape_formula_sql(cell) if escapes else cell for cell in cells]
        texts += [sql.Identifier("errors")] if is_failed else []
        rows = sql.SQL("SELECT {} FROM {} AS input {} ORDER BY input.row").format(
            sql.SQL(", ").join(texts), staging.input, self._selection.of_file(kind)
        )
        text = io.StringIO()
        csv.writer(text, delimiter=shape.delimiter, lineterminator="\n").writerow(headers)
        yield _encoded(("\ufeff" if shape.bom else "") + text.getvalue(), shape.encoding)
        for block in self._copy(rows, options):
            safe = escape_inside_cells(block, shape.delimiter) if escapes else block
            yield _encoded(safe.decode(), shape.encoding)
        if is_failed:
            # Lines of a CSV file stay as they stand.
            escapes = escapes and not shape.is_of_input
            for block in self._copy(self._unreadable_lines(), UNQUOTED):
                safe = escape_inside_cells(block, shape.delimiter) if escapes else block
                yield _encoded(safe.decode(), shape.encoding)

    def _unreadable_lines(self) -> sql.Composable:
        """Return a query of the records that could not be read, with their errors."""
        return sql.SQL("SELECT concat(source, {}, {}) FROM ({}) AS unreadable ORDER BY row").format(
            sql.Literal(self._shape.delimiter),
            quoted(sql.Identifier("errors")),
            self._selection.unreadable(),
        )

    def _json_rows(self, kind: FileKind) -> Iterator[bytes]:
        is_failed = kind == FileKind.FAILED
        rows = sql.SQL("SELECT input.row, {} AS line FROM {} AS input {}").format(
            with_errors(sql.Identifier("input", "doc")) if is_failed else sql.SQL("input.doc"),
            self._context.staging.raw,
            self._selection.of_file(kind),
        )
        if is_failed:
            rows = sql.SQL(
                "{} UNION ALL SELECT row, {} FROM ({}) AS unreadable"
                " WHERE NOT EXISTS (SELECT FROM {} AS raw WHERE raw.row = unreadable.row)"
            ).format(
                rows,
                source_with_errors(sql.Identifier("source")),
                self._selection.unreadable(),
                self._context.staging.raw,
            )
        lines = "SELECT regexp_replace(line, '[\\r\\n]', ' ', 'g') FROM ({}) AS lines ORDER BY row"
        return self._copy(sql.SQL(lines).format(rows), UNQUOTED)

    # --- Result ------------------------------------------------------------------------------

    def _result(self) -> sql.Composable:
        """Return a query of one line for each row, as JSON: `row`, `id` and `outcome`."""
        # A planned row that was neither written nor refused turned out to be unchanged.
        planned = _names() if self._context.spec.dry_run else sql.SQL("WHEN '' THEN ''")
        outcomes = sql.SQL(
            "SELECT *, 0 AS rank FROM ({written}) AS written"
            " UNION ALL SELECT row, NULL, 'failed', 1 FROM {errors} WHERE row IS NOT NULL"
            " UNION ALL SELECT row, key::text, CASE step {planned} ELSE 'unchanged' END, 2"
            " FROM {plan}"
        ).format(
            written=self._outcomes(),
            errors=self._context.staging.errors,
            planned=planned,
            plan=self._context.staging.plan,
        )
        return sql.SQL(
            "SELECT row_to_json(line) FROM (SELECT DISTINCT ON (row) row, id, outcome"
            " FROM ({}) AS outcomes ORDER BY row, rank) AS line"
        ).format(self._selection.of_all_rows(outcomes))

    def _outcomes(self) -> sql.Composable:
        """Return a query of the rows that were written: `row`, `id` and `outcome`."""
        return sql.SQL(
            "SELECT row, key AS id, CASE step {} END AS outcome FROM ({}) AS written"
        ).format(_names(), self._written())

    def _written(self) -> sql.Composable:
        return Journal(self._context.batch).rows()

    # --- Blocks and files --------------------------------------------------------------------

    def _copy(self, query: sql.Composable, options: str) -> Iterator[bytes]:
        """Yield the output of COPY in blocks of whole rows."""
        self._attempt.check()
        statement = sql.SQL("COPY ({}) TO STDOUT ({})").format(query, sql.SQL(options))
        block = bytearray()
        with self._attempt.cursor().copy(statement) as copy:
            for row in copy:
                block += row
                self._rows += 1
                if len(block) >= BLOCK_BYTES:
                    yield bytes(block)
                    block.clear()
        yield bytes(block)

    def _save(self, kind: FileKind, file_format: InputFormat, blocks: Iterable[bytes]) -> None:
        batch, resource = self._context.batch, self._context.resource
        number = len(self._files) + 1
        key = BATCH_STORAGE.file_key(batch, number)
        content_type = _CONTENT_TYPES[file_format]
        self._rows = 0
        checksum = save_verified(key, blocks, content_type)
        self._files.append(
            BatchFile(
                batch=batch,
                kind=kind,
                format=file_format,
                name=f"{resource.plural}-{kind}-{name_suffix(batch)}.{file_format}",
                storage_key=key,
                content_type=content_type,
                rows=self._rows,
                bytes=checksum.size,
                sha256=checksum.hexdigest(),
            )
        )


def _names() -> sql.Composable:
    """Return the branches of a CASE from a step to its outcome."""
    return sql.SQL(" ").join(
        sql.SQL("WHEN {} THEN {}").format(sql.Literal(step.value), sql.Literal(outcome))
        for step, outcome in OUTCOMES.items()
    )


def _shape(detected: Mapping[str, Any]) -> _Shape:
    """Return the shape of the input; CSV for formats that are not text."""
    read_as = InputFormat(detected.get("format") or InputFormat.CSV)
    file_format = read_as if read_as in _CONTENT_TYPES else InputFormat.CSV
    return _Shape(
        file_format,
        file_format is read_as,
        detected.get("delimiter") or ",",
        detected.get("encoding") or "utf-8",
        bool(detected.get("bom")),
    )


def _encoded(text: str, encoding: str) -> bytes:
    # Only messages have characters that the input's encoding may lack.
    return text.encode(encoding, "replace")


def _after(header: bytes, blocks: Iterable[bytes]) -> Iterator[bytes]:
    yield header
    yield from blocks


def _as_array(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Join blocks of JSON lines to a JSON array."""
    before = b"[\n"
    for block in lines:
        if block:
            yield before + block[:-1].replace(b"\n", b",\n")
            before = b",\n"
    yield b"\n]\n" if before == b",\n" else b"[]\n"
