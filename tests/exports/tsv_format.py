"""A text format that exists in tests only: tab-separated values in PostgreSQL's text format."""

import json
from collections.abc import Iterable, Iterator, Sequence

from psycopg import sql

from exports.formats.base import Block, FileColumn, Format, Rows
from exports.spec import ExportSpec


class Tsv(Format):
    name = "tsv"
    extension = "tsv"
    content_type = "text/tab-separated-values"
    rows = Rows.TEXT
    options = frozenset({"include_header"})

    def copy(
        self, query: sql.Composable, columns: Sequence[FileColumn], spec: ExportSpec
    ) -> sql.Composable:
        return sql.SQL("COPY ({}) TO STDOUT (ENCODING 'UTF8')").format(query)

    def write(
        self, columns: Sequence[FileColumn], blocks: Iterable[Block], spec: ExportSpec
    ) -> Iterator[bytes]:
        if spec.include_header:
            yield ("\t".join(column.header for column in columns) + "\n").encode()
        for block in blocks:
            yield block.data

    def preview_rows(self, blocks: Iterable[Block], spec: ExportSpec) -> list[str]:
        lines = b"".join(block.data for block in blocks).decode().splitlines()
        return [json.dumps(line.split("\t")) for line in lines]
