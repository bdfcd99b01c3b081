"""Prepares the staged tables of an attempt for writing."""

from collections import Counter
from collections.abc import Iterable, Mapping

from psycopg import sql

from batches.context import Context
from batches.merging.journal import Journal, execute
from batches.merging.rows import Rows
from batches.merging.statements import Statements
from batches.staging import TYPED_ABSENT, TYPED_ROW, Staging


def index(staging: Staging) -> None:
    """Create the indexes by which chunks are read, and the statistics of what they are read by.

    Statistics of all columns would take as long as the indexes.
    """
    for table, columns in (
        (staging.plan, "row, key, step"),
        (staging.typed, TYPED_ROW),
        (staging.links, "relation, row"),
    ):
        row = sql.Identifier(TYPED_ROW if table == staging.typed else "row")
        execute(sql.SQL("CREATE INDEX ON {} ({})").format(table, row))
        execute(sql.SQL("ANALYZE {} ({})").format(table, sql.SQL(columns)))


def leave_out_written(context: Context) -> Counter[str]:
    """Delete the rows that the journal names from the plan. Returns their number by step."""
    journal, counts = Journal(context.batch), Counter[str]()
    count = sql.SQL("SELECT step, count(*) FROM ({}) AS written GROUP BY step")
    counts.update(dict(execute(count.format(journal.rows()))))
    if counts:
        leave_out = sql.SQL("DELETE FROM {} WHERE row IN (SELECT row FROM ({}) AS written)")
        execute(leave_out.format(context.staging.plan, journal.rows()))
    return counts


def count_steps(staging: Staging, rows: Rows | None = None) -> Counter[str]:
    """Return the number of planned rows by step, of all rows or of some."""
    among = sql.SQL("true") if rows is None else rows.among("plan")
    count = sql.SQL("SELECT step, count(*) FROM {} AS plan WHERE {} GROUP BY step")
    return Counter(dict(execute(count.format(staging.plan, among))))


def columns_of(table: sql.Identifier) -> list[str]:
    """Return the columns of a staged table, in their order."""
    columns = sql.SQL(
        "SELECT attname FROM pg_attribute WHERE attrelid = {}::regclass AND attnum > 0"
        " AND NOT attisdropped ORDER BY attnum"
    )
    return [name for (name,) in execute(columns.format(sql.Literal(table.as_string(None))))]


def make_statements(
    context: Context,
    create_only: frozenset[str],
    computed: Mapping[str, sql.Composable],
    parts: Iterable[Staging] = (),
    *,
    gives_keys: bool = False,
) -> Statements:
    """Return the statements for the columns of the typed rows.

    parts: the tables of their parts. gives_keys: whether the rows give new records their primary
    keys.
    """
    staging = context.staging
    internal = (TYPED_ROW, TYPED_ABSENT)
    typed = [each for each in columns_of(staging.typed) if each not in internal]
    absent = execute(
        sql.SQL("SELECT DISTINCT unnest({0}) FROM {1} WHERE {0} IS NOT NULL").format(
            sql.Identifier(TYPED_ABSENT), staging.typed
        )
    )
    return Statements(
        context,
        typed=tuple(typed),
        create_only=create_only,
        absent=frozenset(name for (name,) in absent),
        computed=computed,
        parts=tuple(each.plan for each in parts),
        gives_keys=gives_keys,
    )
