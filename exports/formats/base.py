"""The interface of a file format, and the types and SQL that formats share.

How the rows become a file:

1. `exports.sql.compiler` builds a query. Each of its columns is a column of the file, named by the
   header.
2. `Format.copy` makes a COPY statement of the query. COPY sends each row as one message.
3. `exports.reading.copy_reader` collects the messages in blocks and compares the number of rows
   with the server's.
4. `Format.write` makes the bytes of the file from the blocks.

A format does not compress, count or hash its file: `exports.reading.stream` does.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from psycopg import sql

from exports.spec import ExportSpec
from longshore.database.copying import UNQUOTED
from longshore.files.date_texts import date_text
from longshore.files.formulas import datetime_sql, escape_formula, escape_formula_sql
from longshore.resources.columns import ColumnType

SPREADSHEET_OPTIONS = frozenset({"include_header", "escape_formulas", "labels"})

# Each row as a JSON array of its cells. A function takes at most 100 arguments, so the array is
# aggregated from the members of an object.
_JSON_ARRAYS = """COPY (SELECT (SELECT json_agg(cell.value)
 FROM json_each(row_to_json(preview.*)) AS cell)::text
 FROM (SELECT {} FROM {}) AS preview) TO STDOUT ({})"""


class FormatLimit(Exception):
    """The rows hold something that the format cannot store. The message names it and its column."""


class IncompleteFile(Exception):
    """The number of rows in the file differs from the number of rows passed to `Format.write`."""


class Rows(Enum):
    """How a format's query represents the cells.

    TEXT: numbers, booleans, dates and datetimes keep their SQL type; anything else is one text.
    ARRAYS: as TEXT, but lists and to-many relations are arrays of text.
    JSON: every value keeps its structure.
    """

    TEXT = "text"
    ARRAYS = "arrays"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive whole rows.

    rows: the number of rows in `data`.
    data: the rows as COPY wrote them; empty if `batch` has them.
    batch: a `pyarrow.RecordBatch` of the rows of `Format.arrow_query`; None if `data` has them.
    """

    rows: int
    data: bytes
    batch: Any = None

    @property
    def size(self) -> int:
        """The bytes of the rows in memory."""
        return len(self.data) if self.batch is None else int(self.batch.nbytes)


@dataclass(frozen=True)
class FileColumn:
    """A column of the file.

    kind: the type of its cells. TEXT if the query converts them to text; JSON for a scalar of JSON
        in a file that shows numbers in another way than texts.
    digits: precision and scale of a decimal; None if they are not declared.
    path: of the value; "" for a column that `flatten` made.
    currency: of an amount, the path of its currency code; "" for other values.
    """

    header: str
    kind: ColumnType
    digits: tuple[int, int] | None = None
    path: str = ""
    currency: str = ""


class Format(ABC):
    """A file format. Instances have no state.

    name: as in `format` of a request.
    extension: of a file's name, without the dot.
    content_type: the media type of an uncompressed file.
    rows: the representation of the cells in its query.
    options: the fields of `csv_field_options` that only some formats support, this one among them.
    compressed_inside: the compression that is part of the format, so that the file is not
        compressed again; None if the format does not compress.
    """

    name: str
    extension: str
    content_type: str
    rows: Rows
    options: frozenset[str] = frozenset()
    compressed_inside: str | None = None

    @property
    def is_for_people(self) -> bool:
        """Whether people read the file: a table has the default columns of its resource then."""
        return self.rows is Rows.TEXT

    @abstractmethod
    def copy(
        self, query: sql.Composable, columns: Sequence[FileColumn], spec: ExportSpec
    ) -> sql.Composable:
        """Return the COPY statement that sends each row of a query as one message.

        query: a SELECT of the columns, each named by its header.
        """

    def arrow_query(
        self, query: sql.Composable, columns: Sequence[FileColumn], types: Sequence[int]
    ) -> sql.Composable | None:
        """Return the query whose rows `write` accepts as Arrow batches instead of COPY's text.

        None if the format, or a type of these columns, needs COPY's text.

        query: as of `copy`.
        types: the OID of the PostgreSQL type of each column of the query.
        """
        return None

    @abstractmethod
    def write(
        self, columns: Sequence[FileColumn], blocks: Iterable[Block], spec: ExportSpec
    ) -> Iterator[bytes]:
        """Yield the bytes of the file that holds the rows of the blocks.

        blocks: the output of the statement of `copy`, or the rows of `arrow_query`.
        Raises FormatLimit for a value that the format cannot store, IncompleteFile for lost rows.
        """

    def headers(self, columns: Sequence[FileColumn], spec: ExportSpec) -> list[str]:
        """Return the headers as they are in the file, before quoting."""
        if "escape_formulas" in self.options:
            return escaped_headers(columns, spec)
        return [column.header for column in columns]

    def preview_copy(
        self, query: sql.Composable, columns: Sequence[FileColumn], spec: ExportSpec
    ) -> sql.Composable:
        """Return the COPY statement whose blocks `preview_rows` reads. Default: that of `copy`.

        query: as of `copy`.
        """
        return self.copy(query, columns, spec)

    @abstractmethod
    def preview_rows(self, blocks: Iterable[Block], spec: ExportSpec) -> list[str]:
        """Return each row as a JSON text: an array of cells, or an object.

        blocks: the output of the statement of `preview_copy`. `json_lines` reads lines of JSON.
        """


class TextFormat(Format):
    """A format whose file is a head, the text of the rows and a tail: workers can share its rows.

    separator: between the rows of two blocks.
    tail: ends the file.
    """

    separator = b""
    tail = b""

    def head(self, columns: Sequence[FileColumn], spec: ExportSpec) -> bytes:
        """Return the beginning of the file."""
        return b""

    def text(self, block: Block, spec: ExportSpec) -> bytes:
        """Return the rows of a block as they are in the file, without a separator at the end."""
        return block.data

    def write(
        self, columns: Sequence[FileColumn], blocks: Iterable[Block], spec: ExportSpec
    ) -> Iterator[bytes]:
        yield from self.write_piece(columns, blocks, spec, is_first=True)
        if self.tail:
            yield self.tail

    def write_piece(
        self,
        columns: Sequence[FileColumn],
        blocks: Iterable[Block],
        spec: ExportSpec,
        *,
        is_first: bool,
    ) -> Iterator[bytes]:
        """Yield the bytes of consecutive rows of the file, without its tail.

        is_first: whether the file begins with these rows: then its head precedes them. Otherwise
            the rows before them must not be empty.
        """
        if is_first:
            yield self.head(columns, spec)
        separator = b"" if is_first else self.separator
        for block in blocks:
            yield separator + self.text(block, spec)
            separator = self.separator


formats: dict[str, Format] = {}


def register(file_format: Format) -> None:
    """Make a format available to requests, previews and descriptions, under its name.

    Raises ValueError if the name is registered already.
    """
    if file_format.name in formats:
        raise ValueError(f"The format {file_format.name!r} is registered twice.")
    formats[file_format.name] = file_format


def escaped_headers(columns: Sequence[FileColumn], spec: ExportSpec) -> list[str]:
    """Return the headers of a spreadsheet: formulas are escaped unless the spec says otherwise."""
    headers = [column.header for column in columns]
    return [escape_formula(header) for header in headers] if spec.escape_formulas else headers


def cell_text(
    value: sql.Composable, column: FileColumn, spec: ExportSpec, default_pattern: str
) -> sql.Composable:
    """Return SQL of a cell's value as a spreadsheet displays it.

    Formulas are escaped unless the spec says otherwise.

    default_pattern: the datetime pattern of the format.
    """
    match column.kind:
        case ColumnType.DATETIME:
            pattern = spec.datetime_format or default_pattern
            return datetime_sql(pattern, value, spec.timezone, escape_formulas=spec.escape_formulas)
        case ColumnType.DATE:
            return date_text(value)
        case ColumnType.TEXT if spec.escape_formulas:
            return escape_formula_sql(value)
        case _:
            return value


def json_lines(blocks: Iterable[Block]) -> list[str]:
    """Return the lines of blocks in which each line is a JSON text."""
    return b"".join(block.data for block in blocks).decode().split("\n")[:-1]


def json_arrays_copy(
    query: sql.Composable, columns: Sequence[FileColumn], cells: Iterable[sql.Composable]
) -> sql.Composable:
    """Return a COPY statement that sends each row of a query as a JSON array.

    cells: SQL of the values, which refer to the query's columns by `cell_identifier`.
    """
    named = [
        sql.SQL("{} AS {}").format(cell, cell_identifier(index)) for index, cell in enumerate(cells)
    ]
    return sql.SQL(_JSON_ARRAYS).format(
        sql.SQL(", ").join(named), fenced(query, columns), sql.SQL(UNQUOTED)
    )


def fenced(query: sql.Composable, columns: Sequence[object]) -> sql.Composable:
    """Return a query as a FROM item that computes each cell once.

    columns: as many as the query has. The item names them `cell_identifier(0)`, `…(1)` and so on.
    """
    # Without OFFSET, PostgreSQL inlines the query and computes a cell once for each of its uses.
    # The planner knows the literal '0' early enough to still use parallel workers.
    return sql.SQL("({} OFFSET '0') AS record ({})").format(
        query, sql.SQL(", ").join(cell_identifier(index) for index in range(len(columns)))
    )


def cell_identifier(index: int) -> sql.Identifier:
    """Return the name of the cell with this index in a `fenced` query."""
    return sql.Identifier(f"cell {index}")
