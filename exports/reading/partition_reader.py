"""Reads a partition of an export: some slices of the rows, by one worker of several.

The workers read one snapshot, which the coordinator of the export holds.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import cast

import psycopg

from exports.formats import formats
from exports.formats.base import Block, TextFormat
from exports.reading.copy_reader import copy_blocks
from exports.reading.partitioning import Plan, Slice
from exports.reading.snapshot import Snapshot
from exports.spec import ExportSpec
from exports.sql.compiler import compile_export
from longshore.files.pieces import Piece
from longshore.resources.reading import configure

# Increase it with every change of the bytes that a format writes for the same rows.
_VERSION = 1


def fingerprint(spec: ExportSpec, organization_id: str) -> str:
    """Return a text that is equal for all workers that write the same bytes for the same rows."""
    copy = compile_export(spec, organization_id).copy.as_string(None)
    return hashlib.sha256(f"{_VERSION} {copy}".encode()).hexdigest()


class PartitionReader:
    """Reads the rows of one partition, once.

    rows: the number of rows read so far.
    columns: those of the file.
    """

    def __init__(
        self,
        spec: ExportSpec,
        organization_id: str,
        slices: Sequence[Slice],
        snapshot: str,
        seconds: int,
        database: str,
    ) -> None:
        """Prepare the reader; the database is not read yet.

        slices: at least one.
        snapshot: the identifier of the shared snapshot.
        seconds: time limit of each statement.
        database: the alias of the database of the snapshot.
        """
        self.rows = 0
        statement = compile_export(spec, organization_id)
        self.columns = statement.columns
        # The storage may accept bytes so slowly that the connection is idle meanwhile.
        self._settings = statement.settings | {
            "statement_timeout": f"{seconds}s",
            "idle_in_transaction_session_timeout": "0",
        }
        self._spec = spec
        self._organization_id = organization_id
        self._slices = slices
        self._shared = snapshot
        self._snapshot = Snapshot(database)

    def blocks(self) -> Iterator[Block]:
        """Yield the rows in file order. Raises QueryCanceled after `cancel`, and its errors."""
        check = self._snapshot.check
        with self._snapshot.reader(self._shared) as reader:
            configure(reader.cursor(), self._settings)
            for each in self._slices:
                for block in read_slice(reader, self._spec, self._organization_id, each, check):
                    check()
                    self.rows += block.rows
                    yield block

    def cancel(self) -> None:
        """Cancel the statements; `blocks` raises QueryCanceled. Callable from any thread."""
        self._snapshot.cancel()


def sampled_ratio(
    leader: psycopg.Connection,
    spec: ExportSpec,
    organization_id: str,
    plan: Plan,
    check: Callable[[], object],
) -> float:
    """Return the bytes of the file for each expected byte of text, measured on a few rows.

    leader: the connection of the plan. No iterator over its slices may be in use.
    spec: its format is a TextFormat, its compression is DIVISIBLE.
    """
    file_format = cast("TextFormat", formats[spec.format])
    rows = size = 0
    for each in plan.samples:
        blocks = [*read_slice(leader, spec, organization_id, each, check)]
        piece = Piece(spec.compression, is_first=False)
        text = file_format.write_piece((), blocks, spec, is_first=False)
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
    """Yield the blocks of a slice of an export without discovered paths."""
    statement = compile_export(spec, organization_id, partition=rows.condition())
    line_end = spec.dialect.line_end.encode()
    return copy_blocks(reader, statement.copy.as_bytes(None), line_end, check=check)
