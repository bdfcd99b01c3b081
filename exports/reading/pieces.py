"""A piece of a file: consecutive slices of the rows, read by one worker of several.

The workers read one snapshot, which the coordinator of the export holds.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import cast

import psycopg

from exports.formats import formats
from exports.formats.base import Block, TextFormat
from exports.reading.copy_reader import copy_blocks
from exports.reading.partitioning import Plan, Slice
from exports.reading.snapshot import Snapshot
from exports.spec import ExportSpec
from exports.sql.compiler import Statement, compile_export
from longshore.files.pieces import Crc, Piece
from longshore.resources.reading import configure


class PieceStream:
    """Iterates once over the bytes of a piece, compressed as the spec says.

    rows: the number of rows read so far.
    text: the checksum of the uncompressed bytes so far.
    """

    def __init__(
        self,
        spec: ExportSpec,
        organization_id: str,
        slices: Sequence[Slice],
        snapshot: str,
        *,
        is_first: bool,
        seconds: int,
        database: str,
    ) -> None:
        """Prepare the stream; the database is not read yet.

        spec: its format is a TextFormat.
        slices: at least one.
        snapshot: the identifier of the shared snapshot.
        is_first: whether the file begins with this piece.
        seconds: time limit of each statement.
        database: the alias of the database of the snapshot.
        """
        self.rows = 0
        self._spec = spec
        self._organization_id = organization_id
        self._slices = slices
        self._shared = snapshot
        self._is_first = is_first
        self._seconds = seconds
        self._snapshot = Snapshot(database)
        self._piece = Piece(spec.compression, is_first=is_first)

    @property
    def text(self) -> Crc:
        return self._piece.text

    def __iter__(self) -> Iterator[bytes]:
        statement = compile_export(self._spec, self._organization_id)
        text = _text_format(self._spec).write_piece(
            statement.columns, self._blocks(statement), self._spec, is_first=self._is_first
        )
        yield from self._piece.compress(text)

    def cancel(self) -> None:
        """Cancel the statements; the iteration raises QueryCanceled. Callable from any thread."""
        self._snapshot.cancel()

    def _blocks(self, statement: Statement) -> Iterator[Block]:
        check = self._snapshot.check
        with self._snapshot.reader(self._shared) as reader:
            timeout = {"statement_timeout": f"{self._seconds}s"}
            configure(reader.cursor(), statement.settings | timeout)
            for each in self._slices:
                for block in read_slice(reader, self._spec, self._organization_id, each, check):
                    check()
                    self.rows += block.rows
                    yield block


def sampled_ratio(
    leader: psycopg.Connection,
    spec: ExportSpec,
    organization_id: str,
    plan: Plan,
    check: Callable[[], object],
) -> float:
    """Return the bytes of the file for each expected byte of text, measured on a few rows.

    leader: the connection of the plan, whose slices are not used yet.
    """
    rows = size = 0
    for each in plan.samples:
        blocks = [*read_slice(leader, spec, organization_id, each, check)]
        piece = Piece(spec.compression, is_first=False)
        text = _text_format(spec).write_piece((), blocks, spec, is_first=False)
        size += sum(map(len, piece.compress(text)))
        rows += sum(block.rows for block in blocks)
    return size / (rows * plan.row_bytes) if rows else 1.0


def read_slice(
    reader: psycopg.Connection,
    spec: ExportSpec,
    organization_id: str,
    rows: Slice,
    check: Callable[[], object],
) -> Iterator[Block]:
    """Yield the blocks of a slice of an export without nested columns."""
    statement = compile_export(spec, organization_id, partition=rows.condition())
    line_end = spec.dialect.line_end.encode()
    return copy_blocks(reader, statement.copy.as_bytes(None), line_end, check=check)


def _text_format(spec: ExportSpec) -> TextFormat:
    return cast("TextFormat", formats[spec.format])
