"""From a spec to the bytes of its files: discovery, statement, connections, blocks, compression.

Verification: `copy_blocks` compares the number of rows with the server's count. A format that
parses rows compares the rows in its file with those it received (`IncompleteFile`). `FileStream`
keeps the hashes by which `exports.execution.writer` verifies the bytes in storage. Nothing here
writes to storage.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeAlias

import psycopg
from django.conf import settings
from psycopg import sql
from psycopg.pq import TransactionStatus

from exports.formats import formats
from exports.formats.base import Block, FileColumn
from exports.reading.copy_reader import IncompleteExport, copy_blocks
from exports.reading.parallel import read_in_order
from exports.reading.partitioning import Plan, Slice, plan_slices
from exports.reading.snapshot import Snapshot
from exports.spec import ExportSpec
from exports.sql.compiler import DiscoveredPaths, Statement, compile_count, compile_export
from exports.sql.discovery import discover
from longshore.files.checksums import CheckpointedHash
from longshore.files.compression import compress
from longshore.resources.reading import configure, settings_of

if TYPE_CHECKING:
    from exports.reading.arrow_reader import ArrowConnection

Reader: TypeAlias = "psycopg.Connection | ArrowConnection"


@dataclass(frozen=True)
class Source:
    """An open snapshot of the database, and the statement that reads an export from it.

    leader: the connection whose transaction holds the snapshot.
    """

    leader: psycopg.Connection
    statement: Statement
    discovered: DiscoveredPaths


class ExportStream:
    """The files of an export, one after the other, from one snapshot of the database.

    rows: the number of rows read so far.
    snapshot_at: the time of the snapshot; None until reading has begun.
    Iterating over it yields the bytes of all its files.
    """

    def __init__(
        self,
        spec: ExportSpec,
        organization_id: str,
        seconds: int = 0,
        database: str | None = None,
    ) -> None:
        """Prepare the stream; the database is not read yet.

        seconds: time limit of each statement; 0 means no limit.
        database: an alias of `DATABASES`. Default: EXPORT_DATABASE.
        """
        self.rows = 0
        self.snapshot_at: datetime | None = None
        self._spec = spec
        self._organization_id = organization_id
        # The leader is idle in its transaction while the other connections read.
        self._timeouts = {
            "statement_timeout": f"{seconds}s",
            "idle_in_transaction_session_timeout": "0",
        }
        self._snapshot = Snapshot(database)

    def __iter__(self) -> Iterator[bytes]:
        for file in self.files():
            yield from file

    def files(self) -> Generator["FileStream"]:
        """Yield the files. Each must be read to its end before the next one.

        Raises IncompleteExport or IncompleteFile for lost rows, FormatLimit, ObsoleteSpec if the
        resource is not registered, and psycopg's errors: QueryCanceled after `cancel`.
        """
        with self.opened() as source:
            yield from self.files_of(source, self.plan(source))

    @contextmanager
    def opened(self) -> Iterator["Source"]:
        """Take the snapshot and keep it until the end of the block. Raises as `files` does."""
        with self._snapshot.reader() as leader:
            configure(leader.cursor(), settings_of(self._spec.timezone) | self._timeouts)
            [self.snapshot_at] = leader.execute("SELECT statement_timestamp()").fetchone() or [None]
            discovered = discover(leader, self._spec, self._organization_id, check=self.check)
            statement = compile_export(self._spec, self._organization_id, discovered)
            configure(leader.cursor(), statement.settings)
            yield Source(leader, statement, discovered)

    def files_of(self, source: "Source", plan: Plan | None) -> Generator["FileStream"]:
        """Yield the files as `files` does, from the snapshot of `source`.

        plan: the result of `plan`.
        """
        self.rows = 0
        # Close the generator even if a file still refers to it: the threads that read must end
        # before their connections are closed.
        with closing(self._counted(self._blocks(source, plan))) as blocks:
            for file_blocks in split_files(blocks, self._spec.max_rows_per_file):
                yield FileStream(self._spec, source.statement.columns, file_blocks)

    def plan(self, source: "Source") -> Plan | None:
        """Return the plan of the rows, or None if one connection shall read all."""
        return plan_slices(
            source.leader, self._spec, self._organization_id, source.statement, self.check
        )

    def share(self, source: "Source") -> str:
        """Return the identifier by which other connections adopt the snapshot of `source`."""
        return self._snapshot.share(source.leader)

    def check(self) -> None:
        """Raise QueryCanceled if `cancel` was called."""
        self._snapshot.check()

    def cancel(self) -> None:
        """Cancel the statements; the iteration raises QueryCanceled. Callable from any thread."""
        self._snapshot.cancel()

    def check_count(self, source: "Source") -> None:
        """Raise IncompleteExport if `rows` are not all rows of the snapshot."""
        self._snapshot.check()
        count = compile_count(self._spec, self._organization_id)
        [(rows,)] = source.leader.execute(count.as_bytes(None)).fetchall()
        if rows != self.rows:
            raise IncompleteExport(f"Received {self.rows} of {rows} rows.")

    def _counted(self, blocks: Generator[Block]) -> Generator[Block]:
        with closing(blocks):
            for block in blocks:
                # Statements that started after `cancel` may send rows.
                self._snapshot.check()
                self.rows += block.rows
                yield block

    def _blocks(self, source: "Source", plan: Plan | None) -> Generator[Block]:
        """Yield the blocks of all files, in order. Uses several connections for a large export."""
        number = settings.EXPORT_CONNECTIONS
        # Blocks of several connections do not end where a file does.
        if number == 1 or plan is None or self._spec.max_rows_per_file:
            yield from self._read(source.leader, source.statement)
            return
        types = column_types(source.leader, source.statement)
        is_arrow = self._arrow_query(source.statement, types) is not None
        shared = self.share(source)
        configuration = source.statement.settings | self._timeouts
        with ExitStack() as stack:
            idle: SimpleQueue[Reader] = SimpleQueue()

            def idle_reader() -> Reader:
                # Connections are opened when needed: at most one for each thread of the pool.
                with suppress(Empty):
                    return idle.get_nowait()
                if is_arrow:
                    return stack.enter_context(
                        self._snapshot.arrow_reader(source.leader, shared, configuration)
                    )
                reader = stack.enter_context(self._snapshot.reader(shared))
                configure(reader.cursor(), configuration)
                return reader

            def read(rows: Slice) -> Iterator[Block]:
                partial = compile_export(
                    self._spec, self._organization_id, source.discovered, rows.condition()
                )
                reader = idle_reader()
                try:
                    if isinstance(reader, psycopg.Connection):
                        yield from self._read(reader, partial)
                    else:
                        yield from self._read_arrow(reader, partial, types)
                finally:
                    idle.put(reader)

            slices = plan.slices()
            try:
                yield from read_in_order(slices, read, number, self.cancel)
            except psycopg.Error:
                check_leader(source.leader, slices)
                raise
            if is_arrow:
                # COPY's text needs no count: `copy_blocks` has compared that of the server.
                self.check_count(source)

    def _read(self, reader: psycopg.Connection, statement: Statement) -> Iterator[Block]:
        self._snapshot.check()
        yield from copy_blocks(
            reader,
            statement.copy.as_bytes(None),
            self._spec.dialect.line_end.encode(),
            self._spec.max_rows_per_file,
            self._snapshot.check,
        )

    def _read_arrow(
        self, reader: "ArrowConnection", statement: Statement, types: Sequence[int]
    ) -> Iterator[Block]:
        from exports.reading.arrow_reader import arrow_blocks

        query = self._arrow_query(statement, types)
        if query is None:
            raise TypeError("The columns of a partition have other types than those of the export.")
        yield from arrow_blocks(reader, query)

    def _arrow_query(self, statement: Statement, types: Sequence[int]) -> sql.Composable | None:
        file_format = formats[self._spec.format]
        return file_format.arrow_query(statement.query, statement.columns, types)


class FileStream:
    """Iterates once over the bytes of a file, compressed as the spec says.

    rows: the number of rows written so far.
    checksum: size and hash of the bytes yielded so far.
    """

    def __init__(
        self, spec: ExportSpec, columns: Sequence[FileColumn], blocks: Iterator[Block]
    ) -> None:
        self.rows = 0
        self.checksum = CheckpointedHash()
        content = formats[spec.format].write(columns, self._counted(blocks), spec)
        self._content = compress(content, spec.compression, settings.EXPORT_CONNECTIONS - 1)

    def __iter__(self) -> Iterator[bytes]:
        for block in self._content:
            self.checksum.update(block)
            yield block

    def _counted(self, blocks: Iterator[Block]) -> Iterator[Block]:
        for block in blocks:
            self.rows += block.rows
            yield block


def split_files(blocks: Iterator[Block], rows_per_file: int | None) -> Iterator[Iterator[Block]]:
    """Yield the blocks of each file; at least one file, which may have no blocks.

    blocks: none may hold rows of two files, as `copy_blocks` ensures.
    rows_per_file: maximum; None puts all blocks into one file.
    Each file must be read to its end before the next one.
    """
    if rows_per_file is None:
        yield blocks
        return
    upcoming = next(blocks, None)

    def file() -> Iterator[Block]:
        nonlocal upcoming
        rows_left = rows_per_file
        while upcoming is not None and rows_left:
            rows_left -= upcoming.rows
            yield upcoming
            upcoming = next(blocks, None)

    yield file()
    while upcoming is not None:
        yield file()


def column_types(reader: psycopg.Connection, statement: Statement) -> list[int]:
    """Return the OID of the type of each column of a statement. Reads no rows."""
    empty = sql.SQL("SELECT * FROM ({}) AS described LIMIT 0").format(statement.query)
    return [column.type_code for column in reader.execute(empty.as_bytes(None)).description or ()]


def check_leader(leader: psycopg.Connection, slices: Iterator[Slice]) -> None:
    """Raise the error that ended the leader's transaction, if it has ended.

    Other connections cannot adopt the snapshot of an ended transaction, so this error is the cause
    of theirs.

    slices: what is left of them. The leader may be reading their COPY, which was canceled.
    """
    with suppress(psycopg.errors.QueryCanceled):
        for _ in slices:
            pass
        if leader.info.transaction_status == TransactionStatus.INTRANS:
            leader.execute("SELECT 1")
