"""The steps of validation in their order, and its result."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import psycopg
from psycopg import sql

from batches import row_errors
from batches.context import Context
from batches.missing_columns import missing_id
from batches.staging import Step
from batches.targets import Target
from batches.validation.assembly import Assembly, assemble
from batches.validation.catalog import refuse_view
from batches.validation.cells import GIVEN_KEY, Cells
from batches.validation.conversion import CellForm
from batches.validation.creation import Creation
from batches.validation.defaults import Defaults
from batches.validation.distinct import refuse_values
from batches.validation.keys import assign_keys
from batches.validation.links import existing_links, find_links
from batches.validation.parts import Parts
from batches.validation.plan import Planner
from batches.validation.records import Records
from batches.validation.refusals import FAILED, Refusals
from batches.validation.repeated import group_rows, refuse_contradictions
from batches.validation.stored import keep_stored
from longshore.api.errors import InvalidInput
from longshore.resources.relations import Relation


@dataclass(frozen=True)
class Validated:
    """What validation found.

    columns: the columns of `typed` that the batch sets.
    created: SQL of further columns of created records, by name in the database.
    filled: further columns of created records that `typed` holds.
    relations: the many-to-many relations that the batch sets, by `links`.
    context: of the validated records. parts: what was found of their parts.
    gives_keys: whether the rows give new records their primary keys.
    gives_parts: for parts, SQL of a test whether a row of the records' `input` gives them.
    """

    context: Context
    warnings: tuple[str, ...]
    columns: tuple[str, ...] = ()
    created: Mapping[str, sql.Composable] = field(default_factory=dict)
    filled: tuple[str, ...] = ()
    relations: tuple[Relation, ...] = ()
    parts: "tuple[Validated, ...]" = ()
    gives_keys: bool = False
    gives_parts: sql.Composable | None = None


def validate(
    cursor: psycopg.Cursor[Any],
    context: Context,
    assigned: Sequence[Target | None],
    forms: Sequence[CellForm],
) -> Validated:
    """Create `typed`, `links`, `plan` and `errors` from `input` and `malformed`.

    assigned: the target of each column of the input; None for a column that is not used.
    forms: how the input writes the cells of each column.
    The caller has checked that `assigned` has the columns that every record needs, except for a
    primary key that the database does not assign.
    Raises ApiError if the records are rows of a view or if rows repeat their records without naming
    them, and InvalidInput for columns of parts that do not exist, and without such a primary key.
    """
    # Compiling these wide expressions takes longer than it saves.
    cursor.execute("SELECT set_config('jit', 'off', true)")
    refuse_view(cursor, context.resource)
    create_errors(cursor, context)
    headers = {each.name: each.header for each in assigned if each and each.header is not None}
    context = group_rows(cursor, replace(context, headers=headers), assigned)
    assembly = assemble(context, assigned, forms)
    validation = _Validation(cursor, context, assembly)
    identity = validation.planner.identity
    if identity.creates_by_key and not identity.names_records:
        raise InvalidInput(missing_id(context.targets))
    return validation.run(lambda: refuse_contradictions(validation.refusals, assigned))


def create_errors(cursor: psycopg.Cursor[Any], context: Context) -> None:
    """Create `errors` with the errors of the rows that cannot be read."""
    staging = context.staging
    cursor.execute(row_errors.create(staging))
    malformed = sql.SQL("SELECT * FROM {} ORDER BY row").format(staging.malformed)
    cursor.execute(row_errors.add(staging, malformed))


class _Validation:
    def __init__(self, cursor: psycopg.Cursor[Any], context: Context, assembly: Assembly) -> None:
        self.cursor = cursor
        self.context = context
        self.assembly = assembly
        self.defaults = Defaults(cursor, context)
        _set_defaults(context, assembly, self.defaults)
        self.cells = Cells(context, assembly)
        self.refusals = Refusals.of(cursor, context)
        self.planner = Planner(self.refusals, self.cells, self.defaults)
        self.filled: tuple[str, ...] = ()
        self.parts: list[Validated] = []

    def run(
        self, refuse_rows: Callable[[], None], refuse_records: Callable[[], None] | None = None
    ) -> Validated:
        """Validate the rows. Ends early if more rows have errors than the batch allows.

        refuse_rows: writes the errors of rows as they stand in the input.
        refuse_records: for parts, marks the records that have parts with errors.
        """
        steps = (self._read, refuse_rows, self._find, self._plan, self._test, self._validate_parts)
        for step in steps:
            step()
            if self.refusals.are_too_many():
                return self._result()
        if refuse_records:
            refuse_records()
        self._finish()
        return self._result()

    def _read(self) -> None:
        for lookup in self.assembly.lookups:
            lookup.reference.create_lookup(self.cursor, self.context, lookup.texts)
        self.cells.read(self.cursor)
        if failed := self.cells.failed(self.cursor):
            keep_stored(self.refusals, self.cells, self.planner.identity, failed)
            self.cells.refuse(self.refusals)
        for lookup in self.assembly.lookups:
            self.cursor.execute(sql.SQL("DROP TABLE {}").format(lookup.reference.lookup))

    def _find(self) -> None:
        refuse_values(self.refusals, self.cells, self.planner.identity)
        find_links(self.refusals, self.assembly)

    def _plan(self) -> None:
        self.planner.create()
        for name in self.assembly.links:
            relation = self.context.targets.relations[name]
            self.planner.compare_links(name, existing_links(self.context, relation))

    def _test(self) -> None:
        creation = Creation(self.refusals, self.cells, self.defaults)
        creation.refuse_incomplete()
        if self.planner.identity.gives_keys:
            creation.refuse_taken()
        self.filled = creation.fill()
        steps = self._steps()
        creates, updates = bool(steps.get(Step.CREATE)), bool(steps.get(Step.UPDATE))
        if creates or updates:
            Records(self.refusals, self.cells, self.defaults, creates, updates).check()

    def _validate_parts(self) -> None:
        if self.assembly.parts:
            assign_keys(self.cursor, self.context)
        for number, cells in enumerate(self.assembly.parts.values()):
            parts = Parts(self.refusals, cells, number)
            assembly = parts.stage()
            validation = _Validation(self.cursor, parts.context, assembly)
            refuse = partial(parts.refuse, validation.refusals)
            found = validation.run(refuse, parts.refuse_records)
            self.parts.append(replace(found, gives_parts=parts.is_given))
            parts.compare()

    def _finish(self) -> None:
        """Delete the rows that will not be written, and the columns that only validation needs."""
        staging = self.context.staging
        self.planner.keep_named()
        refused = sql.SQL("DELETE FROM {} WHERE {} IS NOT NULL").format(staging.typed, FAILED)
        deleted = self.cursor.execute(refused).rowcount + self.refusals.leave_out()
        if deleted:
            self.cursor.execute(
                sql.SQL(
                    "DELETE FROM {} AS link WHERE NOT EXISTS"
                    ' (SELECT FROM {} AS typed WHERE typed.longshore_row = link."row")'
                ).format(staging.links, staging.typed)
            )
        self.planner.finish(has_refused=bool(deleted))
        drop = sql.SQL("ALTER TABLE {} DROP COLUMN {}")
        self.cursor.execute(drop.format(staging.typed, FAILED))
        if self.assembly.key is not None:
            self.cursor.execute(drop.format(staging.typed, GIVEN_KEY))

    def _steps(self) -> dict[Step, int]:
        self.cursor.execute(
            sql.SQL("SELECT step, count(*) FROM {} WHERE step IS NOT NULL GROUP BY step").format(
                self.context.staging.plan
            )
        )
        return {Step(step): count for step, count in self.cursor.fetchall()}

    def _result(self) -> Validated:
        columns = [each.name for each in self.assembly.columns.values()]
        unset = {
            name: default.value
            for name, default in self.defaults.by_column.items()
            if default.value is not None and name not in columns
        }
        inner = [warning for part in self.parts for warning in part.warnings]
        return Validated(
            context=self.context,
            parts=tuple(self.parts),
            warnings=(*self.assembly.warnings, *inner),
            columns=tuple(columns),
            created=unset,
            filled=self.filled,
            relations=tuple(self.context.targets.relations[name] for name in self.assembly.links),
            gives_keys=self.planner.identity.gives_keys,
        )


def _set_defaults(context: Context, assembly: Assembly, defaults: Defaults) -> None:
    """Give each column the default for created records that do not set it."""
    keys = {column.name for column in context.targets.key}
    for name, column in assembly.columns.items():
        if name not in keys:
            default = defaults.by_column[column.name].value
            assembly.columns[name] = replace(column, default=default)
