"""The result of a batch as text: rows by outcome, errors as a table, and where its files are."""

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import accumulate

from django.urls import reverse

from batches.lifecycle.deadlines import undo_deadline
from batches.lifecycle.storage import BATCH_FILES
from batches.models import Batch, BatchError, FileKind
from batches.spec import InputFormat
from batches.staging import STATISTICS
from longshore.api.links import absolute

MAX_SHOWN_ERRORS = 20
_MAX_CELL_WIDTH = 30
_HEADERS = ("row", "column", "value", "code", "message")
_FILES = {
    FileKind.ERRORS: "All errors, as a file",
    FileKind.FAILED: "Rows with errors, to correct and import again",
    FileKind.UNPROCESSED: "Rows that were not written",
}


def outcome_lines(batch: Batch) -> Iterator[str]:
    """Yield the number of rows of each outcome."""
    counts = [f"{getattr(batch, f'{name}_count'):,}" for name in STATISTICS]
    width = max(map(len, counts))
    for name, count in zip(STATISTICS, counts, strict=True):
        yield f"  {name:9}  {count:>{width}}"


def error_lines(batch: Batch) -> Iterator[str]:
    """Yield the first errors as a table, and how many there are."""
    errors = BatchError.objects.filter(batch=batch)
    number = errors.count()
    if not number:
        return
    rows = [
        (str(each.row or ""), each.column, each.value or "", each.code, each.message)
        for each in errors[:MAX_SHOWN_ERRORS]
    ]
    yield from _table(rows)
    if number > len(rows):
        yield f"… and {number - len(rows):,} other errors"


def place_lines(batch: Batch) -> Iterator[str]:
    """Yield where the errors and the files are, and until when the batch can be undone."""
    if batch.failed_count:
        yield "Errors, from the API:"
        yield f"  {absolute(reverse('batch-errors', args=[batch.public_id]))}"
    for file in batch.files.filter(kind__in=_FILES):
        if file.kind != FileKind.ERRORS or file.format == InputFormat.CSV:
            yield f"{_FILES[FileKind(file.kind)]}:"
            yield f"  {BATCH_FILES.url(file)[0]}"
    has_written = batch.created_count or batch.updated_count or batch.deleted_count
    if has_written and (deadline := undo_deadline(batch)):
        yield f"To undo it until {deadline:%FT%TZ}:"
        yield f"  POST {absolute(reverse('batch-undo', args=[batch.public_id]))}"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table. The last column has no maximum width."""
    *cells, last = zip(_HEADERS, *rows, strict=True)
    columns = [[_cut(_printable(cell)) for cell in column] for column in cells]
    columns.append([_printable(cell) for cell in last])
    widths = [max(map(_width, column)) for column in columns[:-1]]
    for line in zip(*columns, strict=True):
        padding = [" " * (width - _width(cell)) for width, cell in zip(widths, line, strict=False)]
        # Numbers of rows are aligned on the right.
        first = padding[0] + line[0]
        others = [cell + space for cell, space in zip(line[1:-1], padding[1:], strict=True)]
        yield "  ".join([first, *others, line[-1]])


def _printable(text: str) -> str:
    """Escape characters that would break a line or control the terminal."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def _cut(text: str) -> str:
    """Return the beginning of a text that is wider than a cell."""
    if _width(text) <= _MAX_CELL_WIDTH:
        return text
    length = sum(width < _MAX_CELL_WIDTH for width in accumulate(map(_width, text)))
    return f"{text[:length]}…"


def _width(text: str) -> int:
    """Return the number of columns that a text takes on a terminal."""
    return sum(
        0 if unicodedata.combining(each) else 1 + (unicodedata.east_asian_width(each) in "WF")
        for each in text
    )
