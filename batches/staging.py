"""The tables of one attempt, which hold its rows between the file and the resource's table.

All are unlogged and named after the attempt's token, so each attempt begins with its own. They
are dropped at the end of the attempt; maintenance drops those of attempts that died.

`input`: the rows as texts. `row` counts the records of the input from 1. Column `c<n>` is the text
    of the input's column number n: null if it is null, or absent from the record. `absent` is the
    array of the numbers of absent columns, or null if none is absent.
`malformed`: the errors of records that are not in `input`, because they cannot be read: `row`,
    `column`, `code`, `value` and `message` as in `BatchError`; `source`: the text of the record in
    the file, its cells as CSV if the file is not text, or null if another row here has them.
`errors`: all errors of rows (`batches.row_errors`): `id`, which orders them, and the columns that
    `malformed` has, without `source`.
`raw`: the records of a JSON file as they stand: `row`, `doc`, and `is_flat`: whether all values are
    scalars.
`typed`: the rows without errors, converted. Its columns are those of the resource's table that a
    new record needs, with their names and types there; `longshore_row`, the row; and
    `longshore_absent`: the names of the columns and many-to-many relations that this row does not
    set, or null. For a new record, an absent column holds its default.
`links`: the records that rows refer to by a many-to-many relation: `relation` (its name), `row`,
    `key` (the related record's primary key, as text).
`plan`: what to do with each row without errors: `row`, `key` (the primary key of the record that
    it updates or deletes, or of the record to create, in the type of the table; null if the
    database assigns it), `step` (a `Step`). A row with an error has the step REFUSED if it is known
    which record it names (`key`), or that it names none (null).
`absent`: the records that an `overwrite` deletes: `row` (their order; for parts, that of their
    record), `key` (as text).
`named`: for an `overwrite`, the rows whose key no record had when they were planned, those with
    errors too: `row`, and the columns of the resource's key, if the input has them, as `key 0`, ….
`groups`: for an input in which several rows make up one record: `row`, and `first`, the row that
    stands for the record. The table `first` has the columns of `input` and only these rows.
`restored`: for an undo, versions of records that undos of other batches left: `table`, `key` and
    `version` (`batches.merging.changes`).
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from string import ascii_lowercase

from psycopg import sql

# All names begin with it.
PREFIX = "longshore_batch_"

# Columns of `typed` beside those of the resource's table, which may itself have a column `row`.
TYPED_ROW, TYPED_ABSENT = "longshore_row", "longshore_absent"

# A table has at most 1,600 columns; `row` and `absent` take two.
MAX_COLUMNS = 1_598


class Step(StrEnum):
    """What a batch does with one row."""

    CREATE = "c"
    UPDATE = "u"
    UNCHANGED = "n"
    DELETE = "d"
    REFUSED = "x"


# The steps that change records, and the outcomes of their rows.
OUTCOMES = {Step.CREATE: "created", Step.UPDATE: "updated", Step.DELETE: "deleted"}
# All outcomes of rows: the batch counts each one in a field, such as `created_count`.
STATISTICS = ("created", "updated", "unchanged", "deleted", "failed")


@dataclass(frozen=True)
class Staging:
    """The names of the tables of one attempt.

    claim: the token of the attempt, such as `claim_01jd…`: letters, digits and underscores.
    part: for the tables of parts (`batches.parts`), a letter for each relation on the way to them.
    source: the suffix of the table that `input` is: `first` if several rows make up one record.
    """

    claim: str
    part: str = ""
    source: str = "input"

    @property
    def input(self) -> sql.Identifier:
        return self._table(self.source)

    @property
    def malformed(self) -> sql.Identifier:
        return self._table("malformed")

    @property
    def raw(self) -> sql.Identifier:
        return self._table("raw")

    @property
    def typed(self) -> sql.Identifier:
        return self._table("typed")

    @property
    def links(self) -> sql.Identifier:
        return self._table("links")

    @property
    def plan(self) -> sql.Identifier:
        return self._table("plan")

    @property
    def absent(self) -> sql.Identifier:
        return self._table("absent")

    @property
    def named(self) -> sql.Identifier:
        return self._table("named")

    @property
    def restored(self) -> sql.Identifier:
        return self._table("restored")

    @property
    def errors(self) -> sql.Identifier:
        """The errors of all rows, those of parts too."""
        return sql.Identifier(f"{PREFIX}{self.claim}_errors")

    def working(self, kind: str, number: int) -> sql.Identifier:
        """Return a table of one step of validation, which drops it. kind: at most 10 letters."""
        return self._table(f"{kind}_{number}")

    def column(self, number: int) -> sql.Identifier:
        """Return the column of `input` with the text of the input's column `number`."""
        return sql.Identifier(f"c{number}")

    def key(self, number: int) -> sql.Identifier:
        """Return the column of `named` with the column `number` of the resource's key."""
        return sql.Identifier(f"key {number}")

    def _table(self, name: str) -> sql.Identifier:
        part = f"{self.part}_" if self.part else ""
        return sql.Identifier(f"{PREFIX}{self.claim}_{part}{name}")

    def of_part(self, number: int) -> "Staging":
        """Return the tables of the parts of a relation. number: of the relation, from 0."""
        return Staging(self.claim, self.part + ascii_lowercase[number])

    @property
    def first(self) -> "Staging":
        """The tables for an input in which several rows make up one record."""
        return replace(self, source="first")

    @property
    def is_grouped(self) -> bool:
        """Whether several rows of the input make up one record."""
        return self.source != "input"

    @property
    def all_rows(self) -> sql.Identifier:
        """The table of all rows, while `input` may be that of the first row of each record."""
        return self._table("input")

    @property
    def groups(self) -> sql.Identifier:
        return self._table("groups")
