"""What a file format is."""

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Protocol

from psycopg import sql

# What is gathered before it is compressed and written.
BLOCK_BYTES = 1 << 20


class Rows(Enum):
    """What a format's statement selects: a column for each cell's text, or typed values."""

    TEXT = "text"
    JSON = "json"


class Format(Protocol):
    """A file format: one module, one registration, one object."""

    name: str
    extension: str
    content_type: str
    rows: Rows

    def copy(self, query: sql.Composable) -> sql.Composable:
        """The COPY statement that writes a query's rows, each as one message."""
        ...

    def blocks(self, header: tuple[str, ...], rows: Iterable[bytes]) -> Iterator[bytes]:
        """The file's bytes, in blocks of about `BLOCK_BYTES`, from the messages of COPY."""
        ...


def gather(rows: Iterable[bytes]) -> Iterator[bytes]:
    """Join messages to blocks of at least `BLOCK_BYTES`, the last one aside."""
    buffer = bytearray()
    for row in rows:
        buffer += row
        if len(buffer) >= BLOCK_BYTES:
            yield bytes(buffer)
            buffer.clear()
    if buffer:
        yield bytes(buffer)
