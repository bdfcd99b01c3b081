"""The errors of rows, as SQL statements.

All errors of an attempt are in its staging table `errors`, from which its files are written. The
batch keeps the first `BATCH_MAX_STORED_ERRORS` of them as rows of `BatchError`, for the API and the
admin. A batch that undoes another one has no staging table, so its files have the kept errors only.
"""

from django.conf import settings
from psycopg import sql

from batches.models import Batch, BatchError
from batches.staging import Staging

COLUMNS = ("row", "column", "code", "value", "message")
# Longer columns, values and messages of errors are cut: a header, a key of JSON or the message of a
# trigger may be much longer.
MAX_CHARACTERS = 1_000

_STORED = sql.Identifier(BatchError._meta.db_table)
_NAMES = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
_CREATE = sql.SQL(
    "CREATE UNLOGGED TABLE {} (id bigint GENERATED ALWAYS AS IDENTITY, row bigint,"
    ' "column" text NOT NULL, code text NOT NULL, value text, message text NOT NULL)'
)
_ADD = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM ({}) AS found")
_STORE = sql.SQL(
    "INSERT INTO {stored} (batch_id, {names}) SELECT {batch}, {values} FROM ({found}) AS found"
    " ORDER BY found.row, found.id LIMIT {places}"
)
_COUNT_PLACES = sql.SQL("SELECT greatest(0, {} - (SELECT count(*) FROM {} WHERE batch_id = {}))")
_CUT = sql.SQL("left(found.{0}, {1})")


def create(staging: Staging) -> sql.Composed:
    """Return a statement that creates the table `errors`."""
    return _CREATE.format(staging.errors)


def add(staging: Staging, found: sql.Composable) -> sql.Composed:
    """Return an INSERT into `errors`. found: a query of `COLUMNS`, in the order of the errors."""
    return _ADD.format(staging.errors, _NAMES, _values(), found)


def count_places(batch: Batch) -> sql.Composed:
    """Return a query of the number of errors that the batch may keep in addition to its errors."""
    maximum = sql.Literal(settings.BATCH_MAX_STORED_ERRORS)
    return _COUNT_PLACES.format(maximum, _STORED, sql.Literal(batch.pk))


def store(batch: Batch, found: sql.Composable, places: int | None = None) -> sql.Composed:
    """Return an INSERT of the first errors, which the batch keeps, up to its maximum.

    found: a query of `COLUMNS` and of `id`, the order of the errors of a row.
    places: the number of errors to keep; by default as many as `count_places` finds.
    """
    return _STORE.format(
        stored=_STORED,
        names=_NAMES,
        batch=sql.Literal(batch.pk),
        values=_values(),
        found=found,
        places=sql.SQL("({})").format(count_places(batch))
        if places is None
        else sql.Literal(places),
    )


def staged(staging: Staging) -> sql.Composed:
    """Return a query of all errors of an attempt: `id`, which orders them, and `COLUMNS`."""
    return sql.SQL("SELECT id, {} FROM {}").format(_NAMES, staging.errors)


def stored(batch: Batch) -> sql.Composed:
    """Return a query of the errors that a batch keeps, as `staged` does."""
    query = sql.SQL("SELECT id, {} FROM {} WHERE batch_id = {}")
    return query.format(_NAMES, _STORED, sql.Literal(batch.pk))


def _values() -> sql.Composed:
    maximum = sql.Literal(MAX_CHARACTERS)
    return sql.SQL(", ").join(
        _CUT.format(sql.Identifier(name), maximum)
        if name in ("column", "value", "message")
        else sql.Identifier("found", name)
        for name in COLUMNS
    )
