"""XLSX: one or more sheets with the same header.

A library in Rust reads one sheet at a time into memory, so the sizes are checked first.
"""

import io
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from itertools import islice
from typing import Any
from zipfile import BadZipFile, ZipFile

import psycopg
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from batches.parsing.base import Detected, Input, Parsed, checked_headers
from batches.parsing.errors import InputError, empty_input
from batches.parsing.loading import (
    Blocks,
    Malformed,
    MalformedRows,
    create_tables,
    csv_rows,
    escaped_source,
    input_columns,
    load,
    refuse_cells_with_nul,
)
from batches.parsing.source import Source
from batches.parsing.transactions import atomic
from batches.parsing.unescaping import unescaped
from batches.parsing.workbook_scan import (
    check_parts,
    scan_sheet,
    shared_sizes,
    sheet_parts,
)
from batches.spec import InputFormat
from batches.staging import Staging
from batches.targets import Target
from longshore.api.errors import display_value
from longshore.files.arrow import pyarrow
from longshore.files.formulas import unescape_formula
from longshore.resources.columns import ColumnType

# The whole file is in memory, and the library copies it.
MAX_FILE_BYTES = 1 << 26
_BLOCK_CELLS = 1 << 16
# Excel keeps 15 digits, and other programs write further ones that a number cannot hold.
_MAX_EXACT = 10**15
# Larger numbers have a text with an exponent.
_MAX_PLAIN = 10**21


class XlsxInput(Input):
    """An XLSX workbook."""

    def __init__(self, source: Source, *, unescape_formulas: bool) -> None:
        super().__init__(Detected(InputFormat.XLSX))
        if source.size > MAX_FILE_BYTES:
            raise InputError(
                f"The workbook has {source.size:,} bytes; the maximum is {MAX_FILE_BYTES:,}. Send "
                "the data as CSV, JSON Lines or Parquet."
            )
        content = source.head(source.size)
        self._unescape = unescape_formulas
        with _readable():
            self._zip = ZipFile(io.BytesIO(content))
            check_parts(self._zip)
            parts = sheet_parts(self._zip)
            self._shared_sizes = shared_sizes(self._zip)
            self._workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
            self._sheets = self._visible_sheets(parts)
        # Loaded once for the headers, and again for a second call of `stage`.
        self._first: _Sheet | None = self._load(*self._sheets[0])
        _, header = next(self._first.rows(), (0, []))
        self._headers = checked_headers(self._header(header))
        # The positions of the columns whose values must not lose a digit.
        self._exact: list[int] = []
        if not self._headers:
            raise empty_input("The first sheet is empty.")
        self.detected = Detected(InputFormat.XLSX, sheet=self._sheets[0][0])

    def stage(
        self,
        cursor: psycopg.Cursor,
        staging: Staging,
        assigned: Sequence[Target | None],
        *,
        limit: int | None = None,
    ) -> Parsed:
        self.rows_read = 0
        malformed = MalformedRows()
        names = input_columns(len(self._headers))
        with atomic(cursor):
            create_tables(cursor, staging, len(self._headers))
            self._exact = [
                position for position, target in enumerate(assigned) if _is_exact(target)
            ]
            blocks = self._blocks(limit, malformed)
            loaded = load(cursor, staging.input, names, blocks, self.check)
            malformed.store(cursor, staging)
        if loaded + malformed.rows != self.rows_read:
            raise RuntimeError(f"Staged {loaded} of {self.rows_read - malformed.rows} rows.")
        if not self.rows_read:
            raise empty_input("The workbook has no rows.")
        return Parsed(self.rows_read, malformed.rows)

    def _blocks(self, limit: int | None, malformed: MalformedRows) -> Blocks:
        records = islice(enumerate(self._records(), 1), limit)
        width = len(self._headers)
        while block := list(islice(records, max(1, _BLOCK_CELLS // width))):
            valid: dict[int, list[Any]] = {}
            for number, (errors, cells) in block:
                cells += [""] * (width - len(cells))
                if errors:
                    malformed.add(*self._malformed(number, errors, cells))
                else:
                    valid[number] = cells[:width]
            numbers = pyarrow.array(valid, pyarrow.int64())
            columns = zip(*valid.values(), strict=True) if valid else [()] * width
            arrays = [pyarrow.array(map(_text, column), pyarrow.string()) for column in columns]
            numbers, arrays = refuse_cells_with_nul(
                numbers, arrays, malformed, self._headers, self._source
            )
            if self._unescape:
                arrays = [unescaped(array, unescape_formula) for array in arrays]
            yield csv_rows([numbers, *arrays])
            self.rows_read += len(block)

    def _malformed(
        self, number: int, errors: Iterable[tuple[str, str, str]], cells: list[Any]
    ) -> Iterator[Malformed]:
        """Yield the errors of a row; the first one has its cells."""
        source: str | None = self._source(map(_text, cells))
        for message, column, value in errors:
            yield Malformed(number, message, source, column, value)
            source = None

    def _source(self, cells: Iterable[str | None]) -> str:
        return escaped_source(cells, unescape_formulas=self._unescape)

    def _records(self) -> Iterator[tuple[list[tuple[str, str, str]], list[Any]]]:
        """Yield the records of all sheets: errors as message, column and value, and cells."""
        for index, (name, part) in enumerate(self._sheets):
            # Keeps one sheet in memory: the one before is released here.
            sheet, self._first = (None if index else self._first), None
            yield from self._records_of(sheet or self._load(name, part), name)

    def _records_of(
        self, sheet: "_Sheet", name: str
    ) -> Iterator[tuple[list[tuple[str, str, str]], list[Any]]]:
        rows = sheet.rows()
        _, cells = next(rows, (0, []))
        header = self._header(cells)
        if header != self._headers:
            warning = (
                f"The sheet {display_value(name)} was ignored, because its header differs from "
                "that of the first sheet."
            )
            if header and warning not in self.warnings:
                self.warnings.append(warning)
            return
        for number, cells in rows:
            errors = list(self._errors(sheet, number, cells))
            yield errors, sheet.with_errors(number, cells)

    def _errors(
        self, sheet: "_Sheet", number: int, cells: list[Any]
    ) -> Iterator[tuple[str, str, str]]:
        if any(cell != "" for cell in cells[len(self._headers) :]):
            text = f"The row has more cells than the header, which has {len(self._headers):,}."
            yield text, "", ""
        for position in self._exact:
            cell = cells[position] if position < len(cells) else None
            if isinstance(cell, float) and abs(cell) >= _MAX_EXACT:
                header = self._headers[position]
                text = (
                    f"{header} is a number of more than 15 digits, which a workbook does not keep "
                    "exactly. Format the column as text and enter the value again."
                )
                yield text, header, _text(cell) or ""
        if number not in sheet.rows_with_errors:
            return
        for column, header in enumerate(self._headers, sheet.first_column):
            value = sheet.errors.get((number, column))
            if value is not None:
                text = (
                    f"The cell in row {number:,} of the sheet holds the error {value or 'unknown'}."
                )
                yield text, header, value

    def _header(self, cells: list[Any]) -> list[str]:
        """Return the headers of a row of cells, without the empty ones at its end."""
        headers = [_text(cell) or "" for cell in cells]
        while headers and not headers[-1]:
            headers.pop()
        return [unescape_formula(each) for each in headers] if self._unescape else headers

    def _load(self, name: str, part: str) -> "_Sheet":
        with _readable():
            errors = scan_sheet(self._zip, part, self._shared_sizes).errors
            return _Sheet(self._workbook.get_sheet_by_name(name), errors)

    def _visible_sheets(self, parts: list[str]) -> list[tuple[str, str]]:
        """Return the names and parts of the sheets that people see, in order."""
        found = [
            (sheet.name, part)
            for sheet, part in zip(self._workbook.sheets_metadata, parts, strict=True)
            if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
        ]
        if not found:
            raise empty_input("The workbook has no visible sheet.")
        return found


class _Sheet:
    """A sheet in memory.

    errors: the texts of cells with errors, by row and column of the sheet, from 1.
    first_column: number of the column of the first cell of each row.
    """

    def __init__(self, sheet: CalamineSheet, errors: dict[tuple[int, int], str]) -> None:
        self.errors = errors
        _, column = sheet.start or (0, 0)
        self.first_column = column + 1
        self.rows_with_errors = {number for number, _ in errors}
        self._sheet = sheet

    def rows(self) -> Iterator[tuple[int, list[Any]]]:
        """Yield the rows that are not empty, with their numbers in the sheet."""
        # The library skips empty columns on the left, but no rows.
        for number, cells in enumerate(self._sheet.iter_rows(), 1):
            if number in self.rows_with_errors or any(cell != "" for cell in cells):
                yield number, cells

    def with_errors(self, number: int, cells: list[Any]) -> list[Any]:
        """Return the cells of a row with the texts of errors, which the library leaves empty."""
        if number not in self.rows_with_errors:
            return cells
        return [
            self.errors.get((number, column)) or cell
            for column, cell in enumerate(cells, self.first_column)
        ]


def _is_exact(target: Target | None) -> bool:
    """Return whether a target keeps all digits of a number."""
    return target is not None and not (target.column and target.column.kind is ColumnType.FLOAT)


def _text(cell: Any) -> str | None:
    """Return the text of a cell. The library reads an empty text as an empty cell."""
    match cell:
        case str():
            return cell or None
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer() and abs(cell) < _MAX_PLAIN:
            return str(int(cell))
        case datetime() | date() | time():
            return cell.isoformat()
        case _:
            return str(cell)


@contextmanager
def _readable() -> Iterator[None]:
    """Turn errors of damaged files into InputError."""
    try:
        yield
    except PasswordError as error:
        raise InputError("The workbook is encrypted. Save it without password.") from error
    except (BadZipFile, CalamineError, zlib.error, KeyError, EOFError, ValueError) as error:
        raise InputError(f"The workbook is damaged: {error}.") from error
    except (NotImplementedError, RuntimeError) as error:
        # A method of compression that is unknown, or an encrypted part.
        raise InputError(f"The workbook cannot be read: {error}.") from error
