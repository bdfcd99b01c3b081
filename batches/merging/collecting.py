"""Collects the records that a deletion deletes, in a temporary table.

The named records come first, then those that refer to them by CASCADE, step by step. A record that
must not be deleted is taken out again, with all that was collected because of it.
"""

from dataclasses import dataclass, field

from django.db.models import RESTRICT, Model
from psycopg import sql

from batches.context import Context
from batches.errors import RowErrorCode
from batches.merging import refusals
from batches.merging.changes import Own, is_own
from batches.merging.journal import Journal, execute
from batches.merging.references import Reference, is_foreign, references_to
from batches.merging.refusals import Refusal
from batches.merging.tables import Table

# place: number of the record's table. root, row: the named record whose deletion collected it.
# depth: number of references between the two.
COLLECTED = sql.Identifier("longshore_collected")
_CREATE_COLLECTED = sql.SQL(
    "CREATE TEMPORARY TABLE IF NOT EXISTS {} (place int, key text, root text, row bigint,"
    " depth int, UNIQUE (place, key, root)) ON COMMIT DROP"
).format(COLLECTED)
_BLOCKED = sql.Identifier("longshore_blocked")
_CREATE_BLOCKED = sql.SQL(
    "CREATE TEMPORARY TABLE IF NOT EXISTS {} (root text, row bigint, by text, UNIQUE (root, by))"
    " ON COMMIT DROP"
).format(_BLOCKED)


@dataclass
class Collector:
    """The records to delete of the context's resource, in the current transaction.

    own: versions of rows. If given, a record is kept if a row of another version refers to it. Rows
        of these versions are collected with it if they refer by CASCADE.
    kept: a query of `key` (text) of records of the resource. If given, a record is kept if one of
        them would be deleted with it.
    places: the numbers of tables.
    """

    context: Context
    own: Own | None
    kept: sql.Composable | None = None
    places: dict[str, int] = field(default_factory=dict)

    def collect(
        self, named: sql.Composable, *, ignore_missing: bool
    ) -> tuple[list[Reference], list[Refusal]]:
        """Collect the records of a query of `row` and `key` (text), and those that refer to them.

        Returns the references to the models of all collected records, and the named records that
        are not collected.
        """
        table = Table(self.context.resource.model)
        self.places = {table.label: 0}
        for create in (_CREATE_COLLECTED, _CREATE_BLOCKED):
            execute(create)
        execute(sql.SQL("TRUNCATE {}, {}").format(COLLECTED, _BLOCKED))
        self._collect_named(table, named)
        refused = [] if ignore_missing else self._missing(named)
        references = self._collect_referring(table.model)
        return references, refused + self._leave_out_blocked(references)

    def _collect_named(self, table: Table, named: sql.Composable) -> None:
        """Lock and collect the named records, in the order of their keys."""
        execute(
            sql.SQL(
                "INSERT INTO {collected} SELECT 0, found.key::text, found.key::text, found.row, 0"
                " FROM (SELECT record.{key} AS key, named.row FROM ({named}) AS named"
                " JOIN {table} AS record ON record.{key} = named.key::{type} WHERE {scope}"
                " ORDER BY record.{key} FOR UPDATE OF record) AS found ON CONFLICT DO NOTHING"
            ).format(
                collected=COLLECTED,
                key=sql.Identifier(table.key),
                named=named,
                table=table.name,
                type=table.key_type,
                scope=self.context.owns("record"),
            )
        )
        execute(sql.SQL("ANALYZE {}").format(COLLECTED))

    def _missing(self, named: sql.Composable) -> list[Refusal]:
        """Return the named records that are not collected, and that the batch has not deleted."""
        missing = execute(
            sql.SQL(
                "SELECT named.row, named.key FROM ({}) AS named WHERE NOT EXISTS"
                " (SELECT FROM {} AS collected WHERE collected.depth = 0"
                " AND collected.key = named.key) ORDER BY 1, 2"
            ).format(named, COLLECTED)
        )
        # A record of another chunk was deleted along with its parent.
        deleted = (
            execute(
                sql.SQL("SELECT row FROM ({}) AS written WHERE row = ANY ({}::bigint[])").format(
                    Journal(self.context.batch).rows(), sql.Literal([row for row, _ in missing])
                )
            )
            if missing
            else []
        )
        return [
            refusals.not_found(row, self.context.targets, key)
            for row, key in missing
            if (row,) not in deleted
        ]

    def _collect_referring(self, model: type[Model]) -> list[Reference]:
        """Collect the records that refer to collected ones by CASCADE, until none is left.

        Returns the references to the models of all collected records.
        """
        references = {model._meta.db_table: references_to(model)}
        depth, found = 0, True
        while found:
            found = False
            for reference in [each for several in references.values() for each in several]:
                if not reference.cascades:
                    continue
                label = reference.child.label
                place = self.places.setdefault(label, len(self.places))
                if self._collect_by(reference, place, depth):
                    found = True
                    if label not in references:
                        references[label] = references_to(reference.child.model)
            depth += 1
        return [each for several in references.values() for each in several]

    def _collect_by(self, reference: Reference, place: int, depth: int) -> bool:
        condition = (
            sql.SQL("true") if self.own is None else is_own("child", reference.child, self.own)
        )
        ((count,),) = execute(
            sql.SQL(
                "WITH found AS (INSERT INTO {collected} SELECT {place}, child.{key}::text,"
                " collected.root, collected.row, {next} FROM {referring}"
                " WHERE collected.depth = {depth} AND {is_own}"
                " ON CONFLICT DO NOTHING RETURNING 1) SELECT count(*) FROM found"
            ).format(
                collected=COLLECTED,
                place=sql.Literal(place),
                key=sql.Identifier(reference.child.key),
                next=sql.Literal(depth + 1),
                referring=self._referring(reference),
                depth=sql.Literal(depth),
                is_own=condition,
            )
        )
        return bool(count)

    def _referring(self, reference: Reference) -> sql.Composable:
        """Return the FROM item of the rows `child` that refer to collected records `collected`."""
        parent = reference.parent
        source = sql.SQL(
            "(SELECT * FROM {} WHERE place = {}) AS collected"
            " JOIN {} AS parent ON parent.{} = collected.key::{}"
            " JOIN {} AS child ON child.{} = parent.{}"
        )
        return source.format(
            COLLECTED,
            sql.Literal(self.places[parent.label]),
            parent.name,
            sql.Identifier(parent.key),
            parent.key_type,
            reference.child.name,
            sql.Identifier(reference.column),
            sql.Identifier(reference.target),
        )

    def is_kept(self, reference: Reference) -> sql.Composable:
        """Return SQL that is true if the referring row is not collected itself."""
        place = self.places.get(reference.child.label)
        if place is None:
            return sql.SQL("true")
        return sql.SQL(
            "NOT EXISTS (SELECT FROM {} AS other WHERE other.place = {}"
            " AND other.key = child.{}::text)"
        ).format(COLLECTED, sql.Literal(place), sql.Identifier(reference.child.key))

    def _leave_out_blocked(self, references: list[Reference]) -> list[Refusal]:
        """Remove each collected record to which a kept record refers.

        Repeats, because records that were collected through a removed record are then kept too.
        """
        if self.kept is not None and self._block_kept(self.kept):
            self._take_out_blocked()
        while sum(self._block(each) for each in references):
            self._take_out_blocked()
        blocked = execute(
            sql.SQL(
                "SELECT row, root, max(by) FROM {} GROUP BY row, root ORDER BY row, root"
            ).format(_BLOCKED)
        )
        key = self.context.targets.primary_key.name
        return [
            Refusal(row, RowErrorCode.STILL_REFERENCED, refusals.still_referenced(by), key, root)
            for row, root, by in blocked
        ]

    def _take_out_blocked(self) -> None:
        execute(
            sql.SQL("DELETE FROM {} USING {} AS blocked WHERE {}.root = blocked.root").format(
                COLLECTED, _BLOCKED, COLLECTED
            )
        )

    def _block_kept(self, kept: sql.Composable) -> bool:
        """Block each named record whose deletion would delete a record of `kept`."""
        by = str(self.context.resource.model._meta.verbose_name_plural).capitalize()
        ((count,),) = execute(
            sql.SQL(
                "WITH found AS (INSERT INTO {} SELECT DISTINCT root.root, root.row, {}"
                " FROM {} AS collected JOIN {} AS root ON root.root = collected.root"
                " AND root.depth = 0 WHERE collected.place = 0 AND collected.depth > 0"
                " AND collected.key IN ({}) ON CONFLICT DO NOTHING RETURNING 1)"
                " SELECT count(*) FROM found"
            ).format(_BLOCKED, sql.Literal(by), COLLECTED, COLLECTED, kept)
        )
        return bool(count)

    def _block(self, reference: Reference) -> bool:
        foreign = is_foreign(reference.child, self.context.organization_id, "child")
        if self.own is not None or reference.on_delete is RESTRICT:
            blocks = self.is_kept(reference)
        elif reference.protects:
            blocks = sql.SQL("true")
        else:
            blocks = foreign
        # Do not tell what another organization has.
        by = sql.SQL("CASE WHEN {} THEN '' ELSE {} END").format(
            foreign, sql.Literal(reference.plural.capitalize())
        )
        ((count,),) = execute(
            sql.SQL(
                "WITH found AS (INSERT INTO {} SELECT DISTINCT collected.root, collected.row, {}"
                " FROM {} WHERE {}"
                " ON CONFLICT DO NOTHING RETURNING 1) SELECT count(*) FROM found"
            ).format(_BLOCKED, by, self._referring(reference), blocks)
        )
        return bool(count)
