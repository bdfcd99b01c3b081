"""CSV: a header, and rows of texts.

A null is an empty cell, an empty text is `""`, as exports write them.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import psycopg

from batches.parsing.base import Detected, Input, Parsed, checked_headers
from batches.parsing.dialect import Dialect
from batches.parsing.errors import InputError, empty_input
from batches.parsing.loading import (
    Blocks,
    Malformed,
    MalformedRows,
    create_tables,
    csv_rows,
    csv_source,
    input_columns,
    load,
    refuse_cells_with_nul,
)
from batches.parsing.records import (
    Ragged,
    RecordReader,
    with_enough_memory,
)
from batches.parsing.text import Text
from batches.parsing.transactions import atomic
from batches.parsing.unescaping import unescaped, unescaped_cell
from batches.staging import Staging
from batches.targets import Target


class CsvInput(Input):
    """A CSV file whose encoding and dialect are known."""

    def __init__(
        self,
        detected: Detected,
        dialect: Dialect,
        text: Callable[[], Text],
        sample: str,
        *,
        unescape_formulas: bool,
    ) -> None:
        """
        text: returns the text from its beginning, at each call.
        sample: the beginning of the text, with the whole header.
        """
        super().__init__(detected)
        self._text = text
        self._unescape = unescape_formulas
        self._dialect = dialect
        header, self._header_bytes = _read_header(sample, dialect)
        if unescape_formulas:
            header = [
                self._unescaped(cell, index, len(header)) for index, cell in enumerate(header)
            ]
        self._headers = checked_headers(header)

    def stage(
        self,
        cursor: psycopg.Cursor,
        staging: Staging,
        assigned: Sequence[Target | None],
        *,
        limit: int | None = None,
    ) -> Parsed:
        return with_enough_memory(partial(self._stage, cursor, staging, limit))

    def _stage(
        self, cursor: psycopg.Cursor, staging: Staging, limit: int | None, block_bytes: int
    ) -> Parsed:
        self.rows_read = 0
        text = self._text()
        malformed = MalformedRows(limit)
        reader = RecordReader(
            _without(self._header_bytes, text),
            self._dialect,
            len(self._headers),
            lambda ragged: malformed.add(self._malformed(ragged)),
            lambda: text.problem,
            limit=limit,
            block_bytes=block_bytes,
        )
        names = input_columns(len(self._headers))
        with atomic(cursor):
            create_tables(cursor, staging, len(self._headers))
            blocks = self._blocks(reader, text, malformed)
            loaded = load(cursor, staging.input, names, blocks, self.check)
            malformed.store(cursor, staging)
            if loaded + malformed.rows != self.rows_read:
                raise RuntimeError(f"Staged {loaded} of {self.rows_read - malformed.rows} rows.")
        if not self.rows_read:
            raise empty_input()
        return Parsed(self.rows_read, malformed.rows)

    def _blocks(self, reader: RecordReader, text: Text, malformed: MalformedRows) -> Blocks:
        for records in reader:
            numbers, cells = records.numbers, records.cells
            if text.has_nul:
                source = partial(csv_source, delimiter=self._dialect.delimiter)
                numbers, cells = refuse_cells_with_nul(
                    numbers, cells, malformed, self._headers, source
                )
            if self._unescape:
                cells = [
                    unescaped(column, partial(self._unescaped, index=index, columns=len(cells)))
                    for index, column in enumerate(cells)
                ]
            yield csv_rows([numbers, *cells])
            self.rows_read = reader.total
        self.rows_read = reader.total

    def _unescaped(self, cell: str, index: int, columns: int) -> str:
        return unescaped_cell(cell, index, columns, self._dialect.delimiter)

    def _malformed(self, ragged: Ragged) -> Malformed:
        noun = "cell" if ragged.cells == 1 else "cells"
        message = f"The row has {ragged.cells:,} {noun}; the header has {len(self._headers):,}."
        if ragged.cells > len(self._headers):
            message += f" Quote cells that contain the delimiter {self._dialect.delimiter!r}."
        return Malformed(ragged.number, message, ragged.text)


def _read_header(sample: str, dialect: Dialect) -> tuple[list[str], int]:
    """Return the first record, and the position of its end in bytes of UTF-8."""
    size = 0

    def lines() -> Iterator[str]:
        nonlocal size
        for line in io.StringIO(sample, newline=""):
            size += len(line.encode())
            yield line

    try:
        header = next(dialect.rows(lines(), strict=True), None)
    except csv.Error as error:
        raise InputError(f"The header cannot be read: {error}.") from error
    if header is None:
        raise empty_input()
    return header, size


def _without(size: int, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Return the blocks without their first bytes."""
    for block in blocks:
        yield block[size:]
        size = max(0, size - len(block))
