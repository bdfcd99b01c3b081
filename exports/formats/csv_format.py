"""CSV (RFC 4180): a header, a comma between cells, a line feed after each row.

A null is nothing between its commas, an empty text is `""`.
"""

from collections.abc import Iterable, Iterator

from psycopg import sql

from exports.formats.base import Rows, gather

_QUOTED = frozenset(',"\r\n')


class Csv:
    name = "csv"
    extension = "csv"
    content_type = "text/csv"
    rows = Rows.TEXT

    def copy(self, query: sql.Composable) -> sql.Composable:
        return sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, ENCODING 'UTF8')").format(query)

    def blocks(self, header: tuple[str, ...], rows: Iterable[bytes]) -> Iterator[bytes]:
        # Written here, for a column's name in PostgreSQL ends after 63 bytes.
        yield (",".join(map(_cell, header)) + "\n").encode()
        yield from gather(rows)


def _cell(text: str) -> str:
    """A text as COPY writes it."""
    if _QUOTED.isdisjoint(text):
        return text
    return '"' + text.replace('"', '""') + '"'
