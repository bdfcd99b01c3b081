"""Reads the records of a text as Arrow batches, with the number of each record.

pyarrow parses RFC 4180: a cell may contain delimiters, line breaks and doubled quotes if it is
quoted. Empty lines are not records.
"""

import io
import secrets
from codecs import BOM_UTF8
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from threading import Lock, Semaphore
from typing import Any, TypeVar

from batches.parsing.dialect import Dialect
from batches.parsing.errors import InputError
from longshore.files.arrow import compute, csv, pyarrow
from longshore.files.block_file import BlockReader

T = TypeVar("T")

# Bytes that are parsed at once. A row fits if it has at most as many.
BLOCK_BYTES = 1 << 20
# If a row does not fit, the file is read again with blocks of this size, which take more memory.
MAX_ROW_BYTES = 1 << 24
# Blocks that are read before the records of the first one are taken.
_BLOCKS_AHEAD = 3
_FIRST_RECORD_SECONDS = 0.1
_NO_RECORD = 1 << 62
# How pyarrow reports a row that does not fit into two blocks.
_TOO_LARGE = ("straddling object", "out of sync with chunker")


class RowTooLarge(Exception):
    """A row is larger than the blocks.

    number: of the row, from 1.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def with_enough_memory(read: Callable[[int], T]) -> T:
    """Return the result of `read`, which is called with the size of blocks.

    Raises InputError if a row is larger than MAX_ROW_BYTES.
    """
    try:
        return read(BLOCK_BYTES)
    except RowTooLarge:
        pass
    try:
        return read(MAX_ROW_BYTES)
    except RowTooLarge as error:
        raise InputError(
            f"Row {error.number:,} has more than {MAX_ROW_BYTES:,} bytes. Perhaps a closing quote "
            "is missing."
        ) from error


@dataclass(frozen=True)
class Ragged:
    """A record with another number of cells than the header. text: its bytes in the file."""

    number: int
    cells: int
    text: str


@dataclass(frozen=True)
class Records:
    """Records of one block. numbers: `int64`; cells: a column of texts for each header."""

    numbers: Any
    cells: list[Any]


class RecordReader:
    """Reads a text. Can be read once.

    total: records so far, including ragged ones; at most `limit`.
    """

    def __init__(
        self,
        blocks: Iterable[bytes],
        dialect: Dialect,
        columns: int,
        report: Callable[[Ragged], None],
        problem: Callable[[], str | None],
        *,
        limit: int | None = None,
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        """
        blocks: UTF-8 without header.
        report: receives the ragged records, perhaps before earlier records are yielded.
        problem: returns why the blocks ended before the file, or None: see `Text.problem`.
        limit: read only the first records; ragged ones after them may be reported too.
        """
        self.total = 0
        self._columns = columns
        self._dialect = dialect
        self._report = report
        self._problem = problem
        self._limit = limit
        self._ends_line = True
        self._block_bytes = block_bytes
        # A record that the file cannot contain, with a cell too many, so that it is always
        # reported: if it is not, a quote is missing before it and has swallowed it.
        mark = secrets.token_hex(16) + dialect.delimiter * columns
        self._mark = mark
        self._end: int | None = None
        # The first and last number of each run of ragged records. pyarrow's thread adds to it.
        self._ragged: deque[tuple[int, int]] = deque()
        self._lock = Lock()
        self._file = _Throttled(self._with_mark(blocks), block_bytes)

    def __iter__(self) -> Iterator[Records]:
        """Yield the records that are not ragged, block by block.

        Raises RowTooLarge, and InputError for a record that ends the text early, or if the blocks
        raise it.
        """
        reader = None
        try:
            reader = self._open()
            for batch in reader:
                self._file.release()
                numbers = self._numbers(batch.num_rows)
                if self._limit is not None and self.total >= self._limit:
                    kept = compute.sum(compute.less_equal(numbers, self._limit)).as_py() or 0
                    self.total = self._limit
                    yield Records(numbers[:kept], batch[:kept].columns)
                    return
                if batch.num_rows:
                    yield Records(numbers, batch.columns)
        except InputError as error:
            # The blocks end early, for example because the compressed file is truncated.
            if not self.total:
                raise
            text = f"{error.message} The file was read up to row {self.total:,}."
            raise InputError(text, error.code) from error
        except pyarrow.ArrowInvalid as error:
            if any(text in str(error) for text in _TOO_LARGE):
                self._skip_ragged()
                raise RowTooLarge(self.total + 1) from error
            raise InputError(
                f"The file cannot be read after row {self.total:,}: {error}."
            ) from error
        finally:
            # Also if the caller stops early: pyarrow's thread may wait for permission to read.
            self._file.end()
            if reader is not None:
                reader.close()
        self._check_end()

    def _check_end(self) -> None:
        self._skip_ragged()
        total = self.total
        if problem := self._problem():
            is_new_row = self._end is not None and self._ends_line
            raise InputError(f"Row {total + is_new_row:,} {problem}.")
        if self._end is None:
            raise InputError(
                f"Row {total:,} has an opening quote without a closing one: the file may be "
                "truncated."
            )
        if self._end != total + 1:
            raise RuntimeError(f"Numbered {total} of {self._end - 1} records.")
        if self._limit is not None:
            self.total = min(total, self._limit)

    def _open(self) -> csv.CSVStreamingReader:
        names = [str(index) for index in range(self._columns)]
        return csv.open_csv(
            self._file,
            csv.ReadOptions(
                # Several threads do not know the numbers of rows.
                use_threads=False,
                block_size=self._block_bytes,
                column_names=names,
            ),
            csv.ParseOptions(
                delimiter=self._dialect.delimiter,
                quote_char=self._dialect.quote or False,
                newlines_in_values=self._dialect.quote is not None,
                invalid_row_handler=self._handle,
            ),
            csv.ConvertOptions(
                check_utf8=False,
                column_types=dict.fromkeys(names, pyarrow.string()),
                # An empty cell is null; a quoted empty cell is an empty text.
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )

    def _handle(self, row: csv.InvalidRow) -> str:
        if row.text == self._mark:
            self._end = row.number
        else:
            with self._lock:
                first = row.number
                if self._ragged and self._ragged[-1][1] == row.number - 1:
                    first, _ = self._ragged.pop()
                self._ragged.append((first, row.number))
            self._report(Ragged(row.number, row.actual_columns, row.text))
        return "skip"

    def _with_mark(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        # pyarrow removes one byte order mark. Another one belongs to the first text.
        yield BOM_UTF8
        for block in blocks:
            if block:
                self._ends_line = block.endswith((b"\n", b"\r"))
                yield block
        yield f"\n{self._mark}\n".encode()

    def _numbers(self, rows: int) -> Any:
        """Return the numbers of the next records, which skip those of ragged records."""
        pieces = [pyarrow.arange(0, 0)]
        while next_ragged := self._skip_ragged():
            if not rows:
                break
            end = min(self.total + rows, next_ragged - 1)
            pieces.append(pyarrow.arange(self.total + 1, end + 1))
            rows -= end - self.total
            self.total = end
        return pyarrow.concat_arrays(pieces)

    def _skip_ragged(self) -> int:
        """Count the ragged records that come next. Return the number of the next ragged record,
        or `_NO_RECORD`."""
        with self._lock:
            while self._ragged and self._ragged[0][0] == self.total + 1:
                _, self.total = self._ragged.popleft()
            return self._ragged[0][0] if self._ragged else _NO_RECORD


class _Throttled(io.BufferedReader):
    """The file that pyarrow reads: at most a few blocks ahead, instead of its 32."""

    def __init__(self, blocks: Iterable[bytes], block_bytes: int) -> None:
        super().__init__(BlockReader(blocks), block_bytes)
        self._permits = Semaphore(_BLOCKS_AHEAD)
        self._has_begun = self._has_ended = False

    def read(self, size: int | None = -1) -> bytes:
        # pyarrow drops blocks without records before the first record: nobody releases those.
        self._permits.acquire(timeout=None if self._has_begun else _FIRST_RECORD_SECONDS)
        return b"" if self._has_ended else super().read(size)

    def release(self) -> None:
        """Permit to read one more block."""
        self._has_begun = True
        self._permits.release()

    def end(self) -> None:
        """End the file for the thread that reads it."""
        self._has_ended = True
        self._permits.release()
