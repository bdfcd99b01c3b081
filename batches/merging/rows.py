"""Ranges of planned rows."""

from dataclasses import dataclass

from psycopg import sql

from batches.staging import TYPED_ROW


@dataclass(frozen=True)
class Rows:
    """The planned rows from one number to another, both included."""

    first: int
    last: int

    def among(self, *tables: str) -> sql.Composable:
        """Return SQL that is true for these rows in the aliases of staged tables.

        tables: aliases; that of `Staging.typed` is `typed`.
        PostgreSQL does not conclude from the range of one table that of a table joined with it.
        """
        first, last = sql.Literal(self.first), sql.Literal(self.last)
        return sql.SQL(" AND ").join(
            sql.SQL("{} BETWEEN {} AND {}").format(
                sql.Identifier(table, TYPED_ROW if table == "typed" else "row"), first, last
            )
            for table in tables
        )
