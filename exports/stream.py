"""SQL to bytes: the rows of a statement as the bytes of a file, however many there are."""

import hashlib
import io
from collections.abc import Iterable, Iterator

import psycopg
from django.db import connection
from psycopg.abc import Buffer

from exports.compiler import Statement, compile_export
from exports.compression import compressed
from exports.discovery import discover
from exports.formats import formats
from exports.spec import ExportSpec


class IncompleteExport(Exception):
    """What was written is not what the database said that it sent."""


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
        self._connection: psycopg.Connection | None = None
        self._canceled = False

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[bytes]:
        # Progress is written on Django's connection while this one is busy, and every row
        # comes from one snapshot.
        with connection.get_new_connection(connection.get_connection_params()) as reader:
            self._connection = reader
            reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            reader.read_only = True
            for block in compressed(self._blocks(reader), self._spec.compression):
                self.bytes += len(block)
                self._hash.update(block)
                yield block

    def cancel(self) -> None:
        """Make the database stop; the iteration ends in an error. Safe from any thread."""
        self._canceled = True
        if self._connection is not None:
            self._connection.cancel_safe(timeout=5)

    def _blocks(self, reader: psycopg.Connection) -> Iterator[bytes]:
        """The content of the file, before it is compressed."""
        found = discover(reader, self._spec, self._organization_id)
        statement = compile_export(self._spec, self._organization_id, found)
        messages = self._messages(reader, statement)
        yield from formats[self._spec.format].blocks(statement.columns, messages, self._spec)

    def _messages(self, reader: psycopg.Connection, statement: Statement) -> Iterator[Buffer]:
        """One message of COPY for each row."""
        cursor = reader.cursor()
        for name, value in statement.settings.items():
            cursor.execute("SELECT set_config(%s, %s, true)", (name, value))
        # What was canceled between two statements runs neither of them.
        if self._canceled:
            raise psycopg.errors.QueryCanceled
        with cursor.copy(statement.copy.as_bytes(None)) as copy:
            for message in copy:
                self.rows += 1
                yield message
        if cursor.rowcount != self.rows:
            raise IncompleteExport(f"{self.rows} rows of {cursor.rowcount} arrived")


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
