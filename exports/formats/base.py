"""What a file format is."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, runtime_checkable

from psycopg import sql

from exports.spec import ExportSpec
from longshore.resources.columns import ColumnType

# What is gathered before it is compressed and written: so little that the processor's cache holds
# it, and that the server need not wait meanwhile, for the socket takes up as much.
BLOCK_BYTES = 1 << 17

# Two bytes that JSON and XML never contain and other texts rarely do, so COPY almost never quotes.
QUOTE, DELIMITER = "\x01", "\x02"
UNQUOTED = "FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02', ENCODING 'UTF8'"

SPREADSHEET_OPTIONS = frozenset({"include_header", "escape_formulas"})


class FormatLimit(Exception):
    """The rows hold something that the format has no room for; the message says what and where."""


class IncompleteFile(Exception):
    """The file does not hold the rows that were to be written to it."""


class Rows(Enum):
    """What a format's statement selects for each column of the file.

    TEXT: numbers, booleans, dates and datetimes as they are; all else as one text.
    ARRAYS: the same, but lists and relations to many as arrays of text.
    JSON: everything with its structure.
    """

    TEXT = "text"
    ARRAYS = "arrays"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Block:
    """Whole rows, one after the other, as COPY writes them."""

    rows: int
    data: bytes


@dataclass(frozen=True)
class FileColumn:
    """A column of the file: what stands over it, and what its cells hold.

    kind: TEXT for everything that is shown as a text.
    digits: of a decimal, as many as there may be, and how many of them after the point.
    """

    header: str
    kind: ColumnType
    digits: tuple[int, int] | None = None


class Format(Protocol):
    """A file format: one module, one registration, one object.

    options: those `csv_field_options` that this format has and others do not.
    compressed_inside: the compression that its files have of themselves, which then is all.
    """

    name: str
    extension: str
    content_type: str
    rows: Rows
    options: frozenset[str]
    compressed_inside: str | None

    def copy(
        self, query: sql.Composable, columns: Sequence[FileColumn], spec: ExportSpec
    ) -> sql.Composable:
        """The COPY statement that writes the rows of a query, each as one message.

        query: a SELECT of the columns, each named by its header.
        """
        ...

    def write(
        self, columns: Sequence[FileColumn], blocks: Iterable[Block], spec: ExportSpec
    ) -> Iterator[bytes]:
        """The file's bytes, as they come, from the rows that COPY wrote.

        Raises FormatLimit.
        """
        ...


@runtime_checkable
class TypedFormat(Format, Protocol):
    """A format of typed cells, which are no text of their own."""

    def shown(self, value: sql.Composable, column: FileColumn, spec: ExportSpec) -> sql.Composable:
        """SQL of a cell's value as readers of the file show it."""
        ...


def fenced(query: sql.Composable, columns: Sequence[object]) -> sql.Composable:
    """A query as a FROM item whose columns are `place(0)`, `place(1)`…, each computed once."""
    # PostgreSQL would pull the query up and compute each cell once for each of its uses. As a
    # literal, the offset is known to be nothing before parallel workers are planned.
    return sql.SQL("({} OFFSET '0') AS record ({})").format(
        query, sql.SQL(", ").join(place(index) for index in range(len(columns)))
    )


def place(index: int) -> sql.Identifier:
    return sql.Identifier(f"cell {index}")
