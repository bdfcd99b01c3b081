"""Parts: the records of a one-to-many relation that a batch writes with the records of its rows.

They have staging tables of their own and are validated as the rows of an input are. A record with
an error in one of its parts has an error itself.
"""

from collections.abc import Sequence
from dataclasses import replace

from psycopg import sql

from batches.conflicts import resolve_conflicts
from batches.context import Context
from batches.errors import BatchErrorCode
from batches.missing_columns import find_missing_in_parts
from batches.parts import record_of
from batches.spec import Action
from batches.staging import TYPED_ROW, Step
from batches.targets import Target, listed, not_a_target
from batches.validation.assembly import Assembly, assemble
from batches.validation.columns import CELLS, SetColumn, Source
from batches.validation.conversion import CellForm, Conversion, fails
from batches.validation.given import Given
from batches.validation.part_documents import Documents
from batches.validation.part_sources import Cells, PartSource
from batches.validation.refusals import FAILED, Refusals
from batches.validation.repeated import is_repeated
from longshore.api.errors import MAX_PROBLEMS, InvalidInput, Problem
from longshore.database.column_types import sql_type
from longshore.database.tables import table_name
from longshore.resources.columns import field_column, primary_key
from longshore.resources.conditions import related_scope, scope

_REFUSE = """UPDATE {typed} AS typed SET {failed} = '{{}}'
FROM (SELECT DISTINCT {record} AS "row" FROM {parts} WHERE {failed} IS NOT NULL) AS part
WHERE part."row" = typed.longshore_row AND typed.{failed} IS NULL"""
_ABSENT = """CREATE UNLOGGED TABLE {absent} AS SELECT plan."row", stored.{key}::text AS key
FROM {plan} AS plan JOIN {input} AS input USING ("row")
JOIN {table} AS stored ON stored.{owner} = plan.key
WHERE plan.step IN ({update}, {unchanged}) AND {is_given} AND {scope} AND {seen}
 AND NOT EXISTS (SELECT FROM {parts} AS part WHERE part.key = stored.{key})"""
_CHANGED = """SELECT {record} AS "row" FROM {parts} WHERE step IN ({create}, {update})"""
_UPDATE = """UPDATE {plan} AS plan SET step = {update}
WHERE step = {unchanged} AND plan."row" IN ({changed})"""


class Parts:
    """The parts of one relation in one attempt. context: of the parts."""

    def __init__(self, refusals: Refusals, cells: Sequence[Given], number: int) -> None:
        """Prepare the parts; nothing is staged yet.

        refusals: of the records.
        cells: those of the input that set the relation.
        number: of the relation among those of the input, from 0.
        """
        outer, target = refusals.context, cells[0].target
        self._refusals = refusals
        self._part = part = outer.targets.parts[target.sets]
        spec = replace(
            outer.spec,
            resource=part.resource.name,
            action=Action.MERGE,
            only=None,
            mapping=(),
            properties={},
        )
        self.context = Context(
            outer.batch,
            spec,
            part.resource,
            outer.staging.of_part(number),
            part,
            outer,
            is_repeated=is_repeated(target),
        )
        source = Documents if target.inner is None else Cells
        self._source: PartSource = source(refusals, self.context, cells)

    def stage(self) -> Assembly:
        """Create the staged rows of the parts. Returns what they set.

        Raises InvalidInput for names that the parts do not have, and for columns that they lack.
        """
        headers = self._source.headers()
        targets, warnings = self._targets(headers)
        self._source.stage(headers, targets)
        # The first column is the key of the record.
        forms = [CellForm.JSON, *self._source.forms(headers)]
        assembly = assemble(self.context, [None, *targets], forms)
        assembly.warnings += [*warnings, *self._source.warnings()]
        owner, text = self._part.field, sql.Identifier(CELLS, "c0")
        key = Conversion(fails("{}::{}", text, sql_type(owner)), text=text)
        column = field_column(self._part.resource.model, owner.attname)
        source = Source(column.name, key, (0,))
        assembly.columns[column.name] = SetColumn(
            column, owner, CellForm.JSON, (source,), nullable=True
        )
        return assembly

    @property
    def is_given(self) -> sql.Composable:
        """SQL of a test whether a row of the records' `input` gives their parts."""
        return self._source.is_given

    def refuse(self, refusals: Refusals) -> None:
        """Write the errors of parts as they stand in the input. refusals: of the parts."""
        self._source.refuse(refusals)

    def refuse_records(self) -> None:
        """Mark the records that have a part with an error."""
        self._refusals.cursor.execute(
            fails(
                _REFUSE,
                typed=self._refusals.context.staging.typed,
                failed=FAILED,
                record=record_of(sql.Identifier(TYPED_ROW)),
                parts=self.context.staging.typed,
            )
        )

    def compare(self) -> None:
        """Plan which stored parts an `overwrite` deletes, and let records with changed parts be
        updated."""
        staging = self.context.staging
        update, unchanged = sql.Literal(Step.UPDATE), sql.Literal(Step.UNCHANGED)
        changed = fails(
            _CHANGED,
            record=record_of(sql.Identifier("row")),
            parts=staging.plan,
            create=sql.Literal(Step.CREATE),
            update=update,
        )
        if self.context.replaces_parts:
            self._find_absent()
            changed = fails('{} UNION ALL SELECT "row" FROM {}', changed, staging.absent)
        plan = self._refusals.context.staging.plan
        self._refusals.cursor.execute(
            fails(_UPDATE, plan=plan, update=update, unchanged=unchanged, changed=changed)
        )

    def _targets(self, headers: Sequence[str]) -> tuple[list[Target | None], list[str]]:
        """Return the target of each header, and warnings. Raises InvalidInput."""
        targets, name = self.context.targets, self._part.relation.name
        found: list[Target | None] = []
        read_only: list[str] = []
        problems: list[Problem] = []
        for header in headers:
            target = targets.find(header)
            # A part refers to the record that has it.
            is_owner = target is not None and target.sets == self._part.field.attname
            found.append(None if is_owner else target)
            if is_owner or (target is None and targets.is_read_only(header)):
                read_only.append(f"{name}.{header}")
            elif target is None:
                text = f"{name}: {not_a_target(targets, header)}"
                code = BatchErrorCode.UNKNOWN_COLUMN
                problems.append(Problem(code, f"{name}.{header}", header, text, targets.names))
        resolved = resolve_conflicts(headers, found, ())
        problems += resolved.problems
        problems += find_missing_in_parts(resolved.targets, targets) if headers else ()
        if problems:
            raise InvalidInput(*problems[:MAX_PROBLEMS])
        warnings = [f"{name}: {each}" for each in resolved.warnings]
        if read_only:
            warnings.append(f"The batch ignores read-only columns: {listed(read_only)}.")
        return list(resolved.targets), warnings

    def _find_absent(self) -> None:
        """Create the table of the stored parts that the rows do not name."""
        outer, model = self._refusals.context, self._part.resource.model
        organization = outer.organization_id
        self._refusals.cursor.execute(
            fails(
                _ABSENT,
                absent=self.context.staging.absent,
                key=sql.Identifier(primary_key(model)),
                plan=outer.staging.plan,
                input=outer.staging.input,
                table=table_name(model),
                owner=sql.Identifier(self._part.column),
                update=sql.Literal(Step.UPDATE),
                unchanged=sql.Literal(Step.UNCHANGED),
                is_given=self._source.is_given,
                scope=scope(self._part.resource, organization, "stored"),
                seen=related_scope(self._part.relation, organization, "stored"),
                parts=self.context.staging.plan,
            )
        )
