"""SQL to bytes: the rows of a statement as the bytes of a file, however many there are."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from datetime import datetime
from queue import Empty, SimpleQueue

import psycopg
from django.conf import settings

from exports.formats import formats
from exports.formats.base import Block, FileColumn
from exports.reading.copy_reader import copy_blocks
from exports.reading.parallel import in_order
from exports.reading.partitioning import parts
from exports.reading.snapshot import Snapshot
from exports.spec import ExportSpec
from exports.sql.compiler import Found, Part, Statement, compile_export
from exports.sql.discovery import discover
from longshore.files.checksums import CheckpointedHash
from longshore.files.compression import compress
from longshore.resources.reading import configure, settings_of


class ExportStream:
    """The files of an export, one after the other, from one moment of the database.

    rows: of all that was read so far.
    snapshot_at: that moment, once reading has begun.
    Iterated itself it gives the bytes of its files, of which there usually is one.
    """

    def __init__(
        self,
        spec: ExportSpec,
        organization_id: str,
        seconds: int = 0,
        database: str | None = None,
    ) -> None:
        """seconds: time limit of each statement; 0 means no limit. database: as of `Snapshot`."""
        self.rows = 0
        self.snapshot_at: datetime | None = None
        self._spec = spec
        self._organization_id = organization_id
        # The leader does nothing while the others read.
        self._timeouts = {
            "statement_timeout": f"{seconds}s",
            "idle_in_transaction_session_timeout": "0",
        }
        self._snapshot = Snapshot(database)

    def __iter__(self) -> Iterator[bytes]:
        for file in self.files():
            yield from file

    def files(self) -> Generator["FileStream"]:
        """Each must be read to its end before the next one.

        Raises IncompleteExport where rows are missing, FormatLimit, and errors of psycopg.
        """
        with self._snapshot.reader() as leader:
            configure(leader.cursor(), settings_of(self._spec.timezone) | self._timeouts)
            [self.snapshot_at] = leader.execute("SELECT statement_timestamp()").fetchone() or [None]
            found = discover(leader, self._spec, self._organization_id)
            statement = compile_export(self._spec, self._organization_id, found)
            # Closed here, whoever still holds a file of them: readers end before connections.
            with closing(self._counted(self._blocks(leader, statement, found))) as blocks:
                for part in divided(blocks, self._spec.max_rows_per_file):
                    yield FileStream(self._spec, statement.columns, part)

    def cancel(self) -> None:
        """Make the database stop; the iteration ends in an error. Safe from any thread."""
        self._snapshot.cancel()

    def _counted(self, blocks: Generator[Block]) -> Generator[Block]:
        with closing(blocks):
            for block in blocks:
                self.rows += block.rows
                yield block

    def _blocks(
        self, leader: psycopg.Connection, statement: Statement, found: Found
    ) -> Generator[Block]:
        """The rows of the file, in its order; where they are many, several connections read."""
        configure(leader.cursor(), statement.settings)
        number = settings.EXPORT_CONNECTIONS
        split = None
        if number > 1:
            split = parts(leader, self._spec, self._organization_id, statement)
        if split is None:
            yield from self._read(leader, statement)
            return
        shared = self._snapshot.share(leader)
        configuration = statement.settings | self._timeouts
        with ExitStack() as stack:
            idle: SimpleQueue[psycopg.Connection] = SimpleQueue()

            def idle_reader() -> psycopg.Connection:
                # Opened when needed: at most one for each thread of the pool.
                with suppress(Empty):
                    return idle.get_nowait()
                reader = stack.enter_context(self._snapshot.reader(shared))
                configure(reader.cursor(), configuration)
                return reader

            def read(part: Part) -> Iterator[Block]:
                narrowed = compile_export(self._spec, self._organization_id, found, part)
                reader = idle_reader()
                try:
                    yield from self._read(reader, narrowed)
                finally:
                    idle.put(reader)

            yield from in_order(split, read, number, self.cancel)

    def _read(self, reader: psycopg.Connection, statement: Statement) -> Iterator[Block]:
        self._snapshot.check()
        yield from copy_blocks(
            reader,
            statement.copy.as_bytes(None),
            self._spec.dialect.line_end.encode(),
            self._spec.max_rows_per_file,
        )


class FileStream:
    """Iterates once over the bytes of a file.

    rows: written so far.
    checksum: size and hash of the bytes that were given out so far.
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


def divided(blocks: Iterator[Block], rows: int | None) -> Iterator[Iterator[Block]]:
    """The blocks of each file, of which there is one at least; none holds more rows.

    No block holds rows of two files. Each file must be read to its end before the next one.
    """
    if rows is None:
        yield blocks
        return
    ahead = next(blocks, None)

    def file() -> Iterator[Block]:
        nonlocal ahead
        room = rows
        while ahead is not None and room:
            room -= ahead.rows
            yield ahead
            ahead = next(blocks, None)

    yield file()
    while ahead is not None:
        yield file()
