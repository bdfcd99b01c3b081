"""Fills the staging tables of an input with COPY."""

import io
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from csv import writer
from dataclasses import dataclass
from functools import reduce
from tempfile import SpooledTemporaryFile
from threading import Lock
from typing import Any, TypeAlias

import psycopg
from psycopg import sql

from batches.errors import RowErrorCode
from batches.parsing.errors import InputError
from batches.staging import Staging
from longshore.files.arrow import compute, csv, pyarrow
from longshore.files.formulas import escape_formula, unescape_formula

# Blocks of CSV for COPY.
Blocks: TypeAlias = Generator[memoryview, None, None]

# Malformed rows that are kept in memory; others are in a temporary file until the input is loaded.
_SPOOLED_BYTES = 1 << 20
_SENT_BYTES = 1 << 18
_SHOWN_CHARACTERS = 200

_CREATE_INPUT = "CREATE UNLOGGED TABLE {} (row bigint NOT NULL, {}absent int[])"
_CREATE_MALFORMED = (
    "CREATE UNLOGGED TABLE {} (row bigint NOT NULL, \"column\" text NOT NULL DEFAULT '',"
    " code text NOT NULL, value text, message text NOT NULL, source text)"
)
_COPY = "COPY {} ({}) FROM STDIN (FORMAT csv, ENCODING 'UTF8'{})"
_NEVER_NULL = ', FORCE_NOT_NULL ("column")'
# The character that stands for one that cannot be stored.
_REPLACEMENT = "\ufffd"


@dataclass(frozen=True)
class Malformed:
    """An error of a record that cannot be staged. All but `source` are as in `BatchError`.

    source: the text of the record in the file, or its cells as CSV (`csv_source`); None for further
        errors of one record. NUL characters are replaced.
    """

    row: int
    message: str
    source: str | None = None
    column: str = ""
    value: str | None = None


def create_tables(cursor: psycopg.Cursor, staging: Staging, columns: int) -> None:
    """Create the tables `input` and `malformed`, in place of those of an earlier call."""
    for table in (staging.input, staging.malformed):
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table))
    cells = sql.SQL("").join(
        sql.SQL("{} text, ").format(staging.column(number)) for number in range(columns)
    )
    cursor.execute(sql.SQL(_CREATE_INPUT).format(staging.input, cells))
    cursor.execute(sql.SQL(_CREATE_MALFORMED).format(staging.malformed))


class MalformedRows:
    """Collects malformed rows while COPY occupies the connection, and stores them afterwards."""

    def __init__(self, limit: int | None = None) -> None:
        """limit: ignore rows with higher numbers."""
        self.rows = 0
        self._lock = Lock()
        self._limit = limit
        self._file = SpooledTemporaryFile(  # noqa: SIM115
            _SPOOLED_BYTES, "w+", encoding="utf-8", newline=""
        )
        self._writer = writer(self._file, lineterminator="\n")

    def add(self, *errors: Malformed) -> None:
        """Add the errors of one row."""
        if self._limit is not None and any(each.row > self._limit for each in errors):
            return
        # pyarrow's thread reports rows too.
        with self._lock:
            self._writer.writerows(map(_cells, errors))
            self.rows += 1

    def store(self, cursor: psycopg.Cursor, staging: Staging) -> None:
        """Insert the collected rows into the table `malformed`."""
        columns = ("row", "column", "code", "value", "message", "source")
        names = map(sql.Identifier, columns)
        statement = sql.SQL(_COPY).format(
            staging.malformed, sql.SQL(", ").join(names), sql.SQL(_NEVER_NULL)
        )
        self._file.seek(0)
        with self._file, cursor.copy(statement) as copy:
            while block := self._file.read(_SENT_BYTES):
                copy.write(block)


def _cells(error: Malformed) -> tuple[Any, ...]:
    source = error.source and error.source.replace("\0", _REPLACEMENT)
    value = (source if error.value is None else error.value) or ""
    value = value[:_SHOWN_CHARACTERS].replace("\0", _REPLACEMENT)
    code = RowErrorCode.MALFORMED_ROW.value
    return error.row, error.column, code, value, error.message, source


def refuse_nul(
    numbers: Any,
    cells: Sequence[Any],
    malformed: MalformedRows,
    errors: Callable[[int, Sequence[tuple[int, str]]], Iterable[Malformed]],
) -> tuple[Any, list[Any]]:
    """Return the records without a NUL character, which PostgreSQL does not store.

    numbers: of the records. cells: an Arrow array of texts for each column.
    malformed: receives the errors of the other records.
    errors: returns those of one record by its position, and by the columns and texts of its cells
        with a NUL character.
    """
    found = [compute.fill_null(compute.match_substring(each, "\0"), False) for each in cells]
    is_refused = reduce(compute.or_, found)
    if not compute.any(is_refused).as_py():
        return numbers, list(cells)
    for position in compute.indices_nonzero(is_refused).to_pylist():
        refused = [
            (column, each[position].as_py())
            for column, (each, has_nul) in enumerate(zip(cells, found, strict=True))
            if has_nul[position].as_py()
        ]
        malformed.add(*errors(position, refused))
    kept = compute.invert(is_refused)
    return numbers.filter(kept), [each.filter(kept) for each in cells]


def refuse_cells_with_nul(
    numbers: Any,
    cells: Sequence[Any],
    malformed: MalformedRows,
    headers: Sequence[str],
    source_of: Callable[[Iterable[str | None]], str],
) -> tuple[Any, list[Any]]:
    """As `refuse_nul`, for a table: each cell with a NUL character is an error of its own.

    source_of: returns the text of a record, which its first error has.
    """

    def errors(position: int, refused: Sequence[tuple[int, str]]) -> Iterator[Malformed]:
        source: str | None = source_of(column[position].as_py() for column in cells)
        for index, text in refused:
            yield with_nul(numbers[position].as_py(), headers[index], text, source)
            source = None

    return refuse_nul(numbers, cells, malformed, errors)


def with_nul(row: int, header: str, text: str, source: str | None = None) -> Malformed:
    """Return the error of a cell that contains a NUL character."""
    message = f"{header} contains a NUL character, which no text may contain."
    return Malformed(row, message, source, header, text)


def csv_source(cells: Iterable[str | None], delimiter: str = ",") -> str:
    """Return a record as a row of CSV, without its line break."""
    row = io.StringIO()
    writer(row, delimiter=delimiter, lineterminator="").writerow(cells)
    return row.getvalue()


def escaped_source(cells: Iterable[str | None], *, unescape_formulas: bool) -> str:
    """Return the record of a file that is not CSV as a row of CSV.

    unescape_formulas: whether a batch that reads the row removes the apostrophes before formulas.
    """
    if unescape_formulas:
        cells = (cell and escape_formula(unescape_formula(cell)) for cell in cells)
    return csv_source(cells)


def csv_rows(columns: list[Any]) -> memoryview:
    """Return the rows of Arrow columns as CSV: a null is an empty cell, an empty text is `""`."""
    sink = pyarrow.BufferOutputStream()
    names = [str(index) for index in range(len(columns))]
    batch = pyarrow.RecordBatch.from_arrays(columns, names)
    csv.write_csv(batch, sink, csv.WriteOptions(include_header=False))
    return memoryview(sink.getvalue())


def load(
    cursor: psycopg.Cursor,
    table: sql.Identifier,
    names: Sequence[str],
    blocks: Blocks,
    check: Callable[[], None],
) -> int:
    """Copy rows into a table and return their number.

    names: the columns.
    blocks: CSV of the columns. Closed at the end.
    check: called before each block; raises an error to stop.
    Raises InputError.
    """
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    statement = sql.SQL(_COPY).format(table, columns, sql.SQL(""))
    try:
        with closing(blocks), cursor.copy(statement) as copy:
            for block in blocks:
                check()
                copy.write(block)
    except psycopg.errors.ProgramLimitExceeded as error:
        raise InputError(
            f"A row has too many values in {len(names) - 1:,} columns: the database keeps about "
            "8,000 bytes of a row outside of long texts. Remove columns from the file."
        ) from error
    return cursor.rowcount


def input_columns(columns: int) -> list[str]:
    """Return the names of the columns of `input` that COPY fills."""
    return ["row", *(f"c{number}" for number in range(columns))]
