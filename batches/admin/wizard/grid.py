"""The grid of rows with errors: cells as inputs, and the corrections that a form posts."""

import csv
import io
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from django.core.exceptions import BadRequest
from django.core.paginator import Page, Paginator
from django.http import QueryDict

from batches.execution.failed_rows import MAX_CHARACTERS
from batches.models import Batch, BatchError, DryRunRecord
from batches.parsing.dialect import Dialect
from batches.parsing.unescaping import unescaped_cell
from batches.request.corrections import is_row_number
from batches.spec import JSON_FORMATS, InputFormat
from batches.staging import Step
from longshore.database.texts import storable
from longshore.files.formulas import unescape_formula

# A form has at most 1,000 fields.
_MAX_CELLS = 800
_MAX_ROWS_PER_PAGE = 50
# The control of the form that has the corrections of other pages.
CARRIED = "carried"
_MALFORMED = "The form does not have corrections by row and header."
# Maximum number of messages shown for a row; the list of errors has all of them.
_MAX_MESSAGES = 20


# By the number of the row and by header.
Corrections: TypeAlias = dict[str, dict[str, str | None]]


@dataclass
class Cell:
    """A cell of a row with errors.

    text: None for an empty cell. is_long: the text is too long for the grid.
    posted: what a refused form has; None if it leaves the cell as it is.
    """

    name: str
    header: str
    text: str | None
    is_long: bool = False
    errors: list[str] = field(default_factory=list)
    posted: str | None = None

    @property
    def shown(self) -> str:
        return (self.text or "") if self.posted is None else self.posted

    @property
    def has_lines(self) -> bool:
        """Whether the text has several lines, which an input of one line would join."""
        return "\n" in self.shown or "\r" in self.shown


@dataclass
class GridRow:
    """A row with errors.

    source: the text of a row that cannot be read; None for others.
    errors: messages that belong to no cell.
    is_used: whether the user ticked "Use the cells of row … as shown" in a form that was refused.
    """

    number: int
    cells: list[Cell]
    source: str | None
    errors: list[str] = field(default_factory=list)
    is_used: bool = False

    @property
    def is_cut(self) -> bool:
        """Whether only the beginning of the text is kept, so that the row has no cells."""
        return len(self.source or "") > MAX_CHARACTERS

    @property
    def use_name(self) -> str:
        """Name of the checkbox that accepts an unreadable row with the cells as shown."""
        return f"use.{self.number}"


@dataclass
class Grid:
    """One page of the rows with errors of a dry run.

    headers: of the columns that can be corrected: those that the mapping uses.
    carried: the corrections of other pages that are not checked yet, in JSON.
    """

    headers: list[str]
    rows: list[GridRow]
    page: Page[Any]
    carried: str = ""


def grid_of(batch: Batch, page: str) -> Grid:
    """Return a page of the grid. page: its number; another text stands for the first page."""
    mapping = batch.detected.get("mapping") or {}
    headers = [header for header, target in mapping.items() if target is not None]
    records = DryRunRecord.objects.filter(batch=batch, step=Step.REFUSED).order_by("row")
    per_page = max(1, min(_MAX_ROWS_PER_PAGE, _MAX_CELLS // max(1, len(headers))))
    found = Paginator(records, per_page).get_page(page)
    csv_options = batch.request.get("csv") or {}
    unescapes = csv_options.get("unescape_formulas", True)
    rows = {
        each.row: _row(each, headers, batch.detected, unescapes=unescapes)
        for each in found
        if each.row is not None
    }
    _place_errors(batch, rows)
    return Grid(headers, list(rows.values()), found)


def _row(
    record: DryRunRecord,
    headers: Sequence[str],
    detected: Mapping[str, Any],
    *,
    unescapes: bool,
) -> GridRow:
    number = record.row or 0
    row = GridRow(number, [], record.source)
    if row.is_cut:
        return row
    values: Mapping[str, str | None] = record.values
    if record.source is not None:
        values = _parsed(record.source, detected, unescapes=unescapes)
    is_read = record.source is None
    row.cells = [
        Cell(
            f"cell.{number}.{index}",
            header,
            values.get(header),
            is_long=is_read and header not in values,
        )
        for index, header in enumerate(headers)
    ]
    return row


def _parsed(
    source: str, detected: Mapping[str, Any], *, unescapes: bool
) -> Mapping[str, str | None]:
    """Return the cells of a row that cannot be read, as far as its text has them.

    unescapes: whether the input removes the apostrophes before formulas.
    """
    if detected.get("format") in JSON_FORMATS:
        return {}
    quote = detected.get("quote") or '"'
    dialect = Dialect(detected.get("delimiter") or ",", None if quote == "none" else quote)
    headers = list(detected.get("mapping") or {})
    try:
        cells = next(dialect.rows(io.StringIO(source, newline="")), [])
    except csv.Error:
        cells = []
    if unescapes and detected.get("format") == InputFormat.CSV:
        columns = len(cells)
        cells = [
            unescaped_cell(cell, index, columns, dialect.delimiter)
            for index, cell in enumerate(cells)
        ]
    elif unescapes:
        cells = list(map(unescape_formula, cells))
    return dict(zip(headers, (cell or None for cell in cells), strict=False))


def _place_errors(batch: Batch, rows: Mapping[int, GridRow]) -> None:
    for error in BatchError.objects.filter(batch=batch, row__in=list(rows)).order_by("row", "pk"):
        row = rows[error.row or 0]
        if len(row.errors) + sum(len(each.errors) for each in row.cells) >= _MAX_MESSAGES:
            continue
        cell = _cell_of(row, error.column)
        (row if cell is None else cell).errors.append(error.message)


def _cell_of(row: GridRow, column: str) -> Cell | None:
    """Return the cell of a column, or that which holds it, such as a JSON text."""
    exact = (each for each in row.cells if each.header == column)
    holding = (each for each in row.cells if column.startswith(f"{each.header}."))
    return next(exact, None) or next(holding, None)


def corrected(grid: Grid, form: QueryDict) -> Corrections:
    """Return the corrections that a form has beyond the rows as they are.

    They include those of other pages, which the form carries along.
    Raises ValueError for a text that cannot be stored, and BadRequest for a form that the page
    cannot send.
    """
    shown = {str(row.number) for row in grid.rows}
    carried = _carried(form, grid.headers)
    found = {row: cells for row, cells in carried.items() if row not in shown}
    for row in grid.rows:
        posted = dict(_posted(row, form))
        changed = {
            cell.header: posted[cell.header]
            for cell in row.cells
            if cell.header in posted and posted[cell.header] != _plain(cell.text)
        }
        # A row that cannot be read has no cells of its own: it needs all of them.
        if row.source is not None and (changed or row.use_name in form):
            found[str(row.number)] = posted
        elif changed:
            found[str(row.number)] = changed
    return found


def _carried(form: QueryDict, headers: Collection[str]) -> Corrections:
    """Return the corrections of other pages. Raises BadRequest for another text."""
    try:
        found = json.loads(form.get(CARRIED) or "{}")
        rows = {row: dict(cells.items()) for row, cells in found.items()}
    except (ValueError, RecursionError, AttributeError):
        raise BadRequest(_MALFORMED) from None
    pairs = [pair for cells in rows.values() for pair in cells.items()]
    if not (
        all(map(is_row_number, rows))
        and all(header in headers for header, _ in pairs)
        and all(text is None or (isinstance(text, str) and storable(text)) for _, text in pairs)
    ):
        raise BadRequest(_MALFORMED)
    return rows


def keep_corrections(grid: Grid, corrections: Corrections) -> None:
    """Put corrections that are not checked yet into the grid, and let its form carry them along."""
    for row in grid.rows:
        cells = corrections.get(str(row.number), {})
        row.is_used = row.source is not None and bool(cells)
        for cell in row.cells:
            if cell.header in cells and cells[cell.header] != _plain(cell.text):
                cell.posted = cells[cell.header] or ""
    grid.carried = json.dumps(corrections, ensure_ascii=False) if corrections else ""


def keep_posted(grid: Grid, form: QueryDict) -> None:
    """Put what a refused form has into the grid."""
    grid.carried = form.get(CARRIED, "")
    for row in grid.rows:
        row.is_used = row.use_name in form
        for cell in row.cells:
            text = form.get(cell.name)
            if text is not None and not cell.is_long and _plain(text) != _plain(cell.text):
                cell.posted = text.replace("\0", "")


def _posted(row: GridRow, form: QueryDict) -> Iterator[tuple[str, str | None]]:
    for cell in row.cells:
        if cell.is_long or cell.name not in form:
            continue
        text = form.get(cell.name, "")
        if not storable(text):
            raise ValueError(f"Row {row.number:,}, {cell.header}: the text cannot be stored.")
        yield cell.header, _plain(text)


def _plain(text: str | None) -> str | None:
    """Return a text as a form sends it: line ends are LF, and an empty text is null."""
    return (text or "").replace("\r\n", "\n").replace("\r", "\n") or None


def merged(
    before: Mapping[str, Mapping[str, str | None]],
    after: Mapping[str, Mapping[str, str | None]],
) -> Corrections:
    """Return corrections with those of a later form, which take precedence."""
    rows = dict.fromkeys((*before, *after))
    return {row: {**before.get(row, {}), **after.get(row, {})} for row in rows}
