"""The result of a batch as text: rows by outcome, errors as a table, and where its files are."""

from collections.abc import Iterator, Sequence
from io import StringIO

from django.urls import reverse
from rich.console import Console
from rich.table import Table
from rich.text import Text

from batches.lifecycle.deadlines import undo_deadline
from batches.lifecycle.storage import BATCH_FILES
from batches.models import Batch, BatchError, FileKind
from batches.spec import InputFormat
from batches.staging import STATISTICS
from longshore.api.links import absolute

MAX_SHOWN_ERRORS = 20
_MAX_CELL_WIDTH = 30
_UNLIMITED = 10_000
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
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    first, *others, last = _HEADERS
    table.add_column(first, justify="right")
    for name in others:
        table.add_column(name, max_width=_MAX_CELL_WIDTH, no_wrap=True, overflow="ellipsis")
    table.add_column(last, no_wrap=True)
    for row in rows:
        table.add_row(*(Text(_printable(cell)) for cell in row))
    text = StringIO()
    # As wide as the table: lines are never wrapped.
    Console(file=text, width=_UNLIMITED, color_system=None).print(table)
    for line in text.getvalue().splitlines():
        yield line.rstrip()


def _printable(text: str) -> str:
    """Escape characters that would break a line or control the terminal."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
