"""SQL to bytes: the rows of a statement as the bytes of a file, however many there are."""

import hashlib
import io
from collections.abc import Iterable, Iterator
from queue import SimpleQueue

import psycopg
from django.conf import settings

from exports.compiler import Found, Part, Statement, compile_export, settings_of
from exports.compression import compressed
from exports.copying import copy_blocks
from exports.discovery import discover
from exports.formats import formats
from exports.formats.base import Block
from exports.parallel import in_order
from exports.parts import parts
from exports.snapshot import Snapshot
from exports.spec import ExportSpec
from resources.reading import configure


class ExportStream:
    """Iterates once over the bytes of an export's file.

    rows, bytes, sha256: of what was given out so far.
    Raises IncompleteExport at the end where rows are missing; errors of psycopg as they come.
    """

    def __init__(self, spec: ExportSpec, organization_id: str) -> None:
        self.rows = 0
        self.bytes = 0
        self._hash = hashlib.sha256()
        self._spec = spec
        self._organization_id = organization_id
        self._snapshot = Snapshot()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[bytes]:
        with self._snapshot.reader() as leader:
            for block in compressed(self._content(leader), self._spec.compression):
                self.bytes += len(block)
                self._hash.update(block)
                yield block

    def cancel(self) -> None:
        """Make the database stop; the iteration ends in an error. Safe from any thread."""
        self._snapshot.cancel()

    def _content(self, leader: psycopg.Connection) -> Iterator[bytes]:
        """The content of the file, before it is compressed."""
        configure(leader.cursor(), settings_of(self._spec))
        found = discover(leader, self._spec, self._organization_id)
        statement = compile_export(self._spec, self._organization_id, found)
        blocks = self._counted(self._blocks(leader, statement, found))
        yield from formats[self._spec.format].write(statement.columns, blocks, self._spec)

    def _counted(self, blocks: Iterator[Block]) -> Iterator[Block]:
        for block in blocks:
            self.rows += block.rows
            yield block

    def _blocks(
        self, leader: psycopg.Connection, statement: Statement, found: Found
    ) -> Iterator[Block]:
        """The rows of the file, in its order; where they are many, several connections read."""
        configure(leader.cursor(), statement.settings)
        split = parts(leader, self._spec, self._organization_id, statement)
        if split is None:
            yield from self._read(leader, statement)
            return
        number = settings.EXPORT_CONNECTIONS
        with self._snapshot.readers_beside(leader, number) as readers:
            idle: SimpleQueue[psycopg.Connection] = SimpleQueue()
            for reader in readers:
                configure(reader.cursor(), statement.settings)
                idle.put(reader)

            def read(part: Part) -> Iterator[Block]:
                narrowed = compile_export(self._spec, self._organization_id, found, part)
                reader = idle.get()
                try:
                    yield from self._read(reader, narrowed)
                finally:
                    idle.put(reader)

            yield from in_order(split, read, number, self.cancel)

    def _read(self, reader: psycopg.Connection, statement: Statement) -> Iterator[Block]:
        self._snapshot.check()
        copy = statement.copy.as_bytes(None)
        yield from copy_blocks(reader, copy, self._spec.dialect.line_end.encode())


class BlockReader(io.RawIOBase):
    """An iterator of blocks as a file to read from, which is what storages take."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._block = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        while not self._block:
            try:
                self._block = memoryview(next(self._blocks))
            except StopIteration:
                return 0
        size = min(len(buffer), len(self._block))
        buffer[:size] = self._block[:size]
        self._block = self._block[size:]
        return size
