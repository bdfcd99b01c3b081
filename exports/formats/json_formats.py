"""JSON: one array of objects, or JSON Lines, one object a line."""

from collections.abc import Iterable, Iterator, Sequence

from psycopg import sql

from exports.formats.base import UNQUOTED, Block, FileColumn, Rows
from exports.spec import ExportSpec


class JsonLines:
    name = "jsonl"
    extension = "jsonl"
    content_type = "application/x-ndjson"
    rows = Rows.JSON
    options: frozenset[str] = frozenset()
    compressed_inside: str | None = None

    def copy(
        self, query: sql.Composable, columns: Sequence[FileColumn], spec: ExportSpec
    ) -> sql.Composable:
        record = (
            "json_strip_nulls(row_to_json(record))" if spec.omit_empty else "row_to_json(record)"
        )
        return sql.SQL("COPY (SELECT {} FROM ({}) AS record) TO STDOUT ({})").format(
            sql.SQL(record), query, sql.SQL(UNQUOTED)
        )

    def write(
        self, columns: Sequence[FileColumn], blocks: Iterable[Block], spec: ExportSpec
    ) -> Iterator[bytes]:
        for block in blocks:
            yield block.data


class JsonArray(JsonLines):
    name = "json"
    extension = "json"
    content_type = "application/json"

    def write(
        self, columns: Sequence[FileColumn], blocks: Iterable[Block], spec: ExportSpec
    ) -> Iterator[bytes]:
        before = b"["
        for block in blocks:
            # A line feed inside a text is escaped, so each one here ends an object.
            yield before + block.data[:-1].replace(b"\n", b",\n")
            before = b",\n"
        yield b"]" if before != b"[" else b"[]"
