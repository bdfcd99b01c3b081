"""JSON: an array of objects, or JSON Lines: one object a line. PostgreSQL writes the objects."""

from collections.abc import Iterable, Sequence

from psycopg import sql

from exports.formats.base import (
    Block,
    FileColumn,
    Rows,
    TextFormat,
    json_lines,
    register,
)
from exports.spec import ExportSpec
from longshore.database.copying import UNQUOTED


class JsonLines(TextFormat):
    name = "jsonl"
    extension = "jsonl"
    content_type = "application/x-ndjson"
    rows = Rows.JSON

    def copy(
        self, query: sql.Composable, columns: Sequence[FileColumn], spec: ExportSpec
    ) -> sql.Composable:
        record = "row_to_json(record.*)"  # `record` alone may be a column.
        if spec.omit_empty:
            record = f"json_strip_nulls({record})"
        return sql.SQL("COPY (SELECT {} FROM ({}) AS record) TO STDOUT ({})").format(
            sql.SQL(record), query, sql.SQL(UNQUOTED)
        )

    def preview_rows(self, blocks: Iterable[Block], spec: ExportSpec) -> list[str]:
        return json_lines(blocks)


class JsonArray(JsonLines):
    name = "json"
    extension = "json"
    content_type = "application/json"

    separator = b",\n"
    tail = b"]"

    def head(self, columns: Sequence[FileColumn], spec: ExportSpec) -> bytes:
        return b"["

    def text(self, block: Block, spec: ExportSpec) -> bytes:
        # JSON escapes a line feed inside a text, so each line feed here ends an object.
        return block.data[:-1].replace(b"\n", b",\n")


register(JsonArray())
register(JsonLines())
