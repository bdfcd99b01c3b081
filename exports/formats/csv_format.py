"""CSV (RFC 4180): a header, a comma between cells, a line feed after each row.

A null is nothing between its commas, an empty text is `""`.
"""

import csv
import io
from collections.abc import Iterable, Iterator

from psycopg import sql

from exports.formats.base import Rows, gather


class Csv:
    name = "csv"
    extension = "csv"
    content_type = "text/csv"
    rows = Rows.TEXT

    def copy(self, query: sql.Composable) -> sql.Composable:
        return sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, ENCODING 'UTF8')").format(query)

    def blocks(self, header: tuple[str, ...], rows: Iterable[bytes]) -> Iterator[bytes]:
        # Written here, for a column's name in PostgreSQL ends after 63 bytes.
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(header)
        yield line.getvalue().encode()
        yield from gather(rows)
