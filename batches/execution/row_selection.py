"""Selects the input rows of each result file, with their outcomes.

If several rows form one record (`Staging.groups`), every row has the outcome of the record, because
a file that is sent again must contain all of them.
"""

from dataclasses import dataclass

from psycopg import sql

from batches.context import Context
from batches.merging.journal import Journal
from batches.models import FileKind

_FAILED = "SELECT row, string_agg(message, ' ' ORDER BY id) AS errors FROM {errors} GROUP BY row"
_FAILED_GROUPS = (
    "SELECT groups.row, coalesce(string_agg(error.message, ' ' ORDER BY error.id)"
    " FILTER (WHERE error.row = groups.row), '') AS errors FROM {groups} AS groups"
    " JOIN {groups} AS same ON same.first = groups.first"
    " JOIN {errors} AS error ON error.row = same.row GROUP BY groups.row"
)
# Records that could not be read are not in `groups`, even if their rows repeat a record.
_UNREADABLE = (
    f"SELECT failed.row, source, failed.errors FROM ({_FAILED}) AS failed JOIN ("  # noqa: S608
    "SELECT DISTINCT ON (row) row, source FROM {malformed} WHERE source IS NOT NULL ORDER BY row)"
    " AS malformed ON malformed.row = failed.row"
)
_UNPROCESSED = (
    "WHERE NOT EXISTS (SELECT 1 FROM {errors} AS error WHERE error.row = input.row)"
    " AND input.row NOT IN (SELECT row FROM ({written}) AS written)"
)
_UNPROCESSED_GROUPS = (
    "JOIN {groups} AS groups ON groups.row = input.row WHERE groups.first NOT IN ("
    "SELECT same.first FROM {groups} AS same JOIN {errors} AS error ON error.row = same.row)"
    " AND groups.first NOT IN (SELECT row FROM ({written}) AS written)"
)
_OF_ALL_ROWS = (
    "SELECT coalesce(groups.row, found.row) AS row, found.id, found.outcome, found.rank"
    " FROM ({outcomes}) AS found LEFT JOIN {groups} AS named ON named.row = found.row"
    " LEFT JOIN {groups} AS groups ON groups.first = named.first"
)


@dataclass(frozen=True)
class RowSelection:
    """The rows of one attempt. is_grouped: whether several rows make up one record."""

    context: Context
    is_grouped: bool

    def of_file(self, kind: FileKind) -> sql.Composable:
        """Return the joins that select the rows of a file from the alias `input`.

        Those of failed rows have a column `errors`.
        """
        if kind == FileKind.FAILED:
            failed = self._format(_FAILED_GROUPS if self.is_grouped else _FAILED)
            return sql.SQL("JOIN ({}) AS failed ON failed.row = input.row").format(failed)
        return self._format(_UNPROCESSED_GROUPS if self.is_grouped else _UNPROCESSED)

    def unreadable(self) -> sql.Composable:
        """Return a query of `row`, `source` and `errors` of the records that could not be read."""
        return self._format(_UNREADABLE)

    def of_all_rows(self, outcomes: sql.Composable) -> sql.Composable:
        """Return a query of `row`, `id`, `outcome` and `rank` of all rows, from that of records."""
        if not self.is_grouped:
            return outcomes
        groups = self.context.staging.groups
        return sql.SQL(_OF_ALL_ROWS).format(outcomes=outcomes, groups=groups)

    def _format(self, template: str) -> sql.Composable:
        staging = self.context.staging
        return sql.SQL(template).format(
            errors=staging.errors,
            groups=staging.groups,
            malformed=staging.malformed,
            written=Journal(self.context.batch).rows(),
        )
