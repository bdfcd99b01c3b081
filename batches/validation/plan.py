"""The plan: which record each row names, and what to do with it.

A row names its record by the primary key if it gives one, otherwise by the resource's key. While
validation runs, `plan` has all rows, and the column `problem`.
"""

from psycopg import sql

from batches.spec import Action, Only
from batches.staging import Step
from batches.validation.cells import GIVEN_KEY, Cells
from batches.validation.defaults import Defaults
from batches.validation.identity import Identity, is_same, typed
from batches.validation.refusals import FAILED, Refusals
from batches.validation.unplanned import Problem, refuse_unplanned
from longshore.database.tables import table_name
from longshore.resources.columns import primary_key

_CREATE = sql.Literal(Step.CREATE)
_PLAN = """CREATE UNLOGGED TABLE {plan} AS
SELECT typed.longshore_row AS "row",
 coalesce({found}, CASE WHEN {creates} THEN {new_key} END) AS key,
 CASE WHEN {found} IS NOT NULL THEN {found_step} WHEN {creates} THEN {create} END AS step,
 {problem} AS problem
FROM {typed} AS typed {records}"""
_KEEP = """UPDATE {typed} AS typed SET {values}
FROM {plan} AS plan JOIN {table} AS record ON record.{key} = plan.key
WHERE plan."row" = typed.longshore_row AND plan.step = {update} AND ({differ})"""
_NAMED = """CREATE UNLOGGED TABLE {named} AS SELECT {columns}
FROM {typed} AS typed JOIN {plan} AS plan ON plan.row = typed.longshore_row
WHERE plan.step = {create}"""
_DELETE = """DELETE FROM {plan} AS plan WHERE NOT {is_kept}
 AND NOT EXISTS (SELECT FROM {typed} AS typed WHERE typed.longshore_row = plan."row")"""
_KEEP_REFUSED = """UPDATE {plan} AS plan SET step = {refused},
 key = CASE WHEN {has_given_key} THEN key END
WHERE NOT EXISTS (SELECT FROM {typed} AS typed WHERE typed.longshore_row = plan."row")"""
_DIFFERENT_LINKS = """WITH planned AS (
 SELECT plan."row", plan.key FROM {plan} AS plan
 JOIN {typed} AS typed ON typed.longshore_row = plan.row
 WHERE plan.step = {unchanged} AND {relation} <> ALL (coalesce(typed.longshore_absent, '{{}}'))),
given AS (SELECT planned."row", links.key FROM planned
 JOIN {links} AS links ON links."row" = planned."row" AND links.relation = {relation}),
present AS (SELECT planned."row", existing.key FROM planned
 JOIN ({existing}) AS existing ON existing.parent = planned.key),
different AS ((TABLE given EXCEPT TABLE present) UNION ALL (TABLE present EXCEPT TABLE given))
UPDATE {plan} AS plan SET step = {update}
FROM (SELECT DISTINCT "row" FROM different) AS different WHERE plan."row" = different."row" """


class Planner:
    """Plans the rows of one attempt."""

    def __init__(self, refusals: Refusals, cells: Cells, defaults: Defaults) -> None:
        self.refusals = refusals
        self.context = refusals.context
        self.cells = cells
        self.defaults = defaults
        self.identity = Identity(self.context, cells, gives_keys=not defaults.assigns_keys)

    def create(self) -> None:
        """Create `plan` with all rows, and write the errors of rows that cannot be planned."""
        staging = self.context.staging
        new_key = self.defaults.key.value or sql.SQL("NULL::{}").format(self.identity.id_type)
        if self.identity.gives_keys and self.identity.has_id:
            new_key = sql.SQL("typed.{}").format(GIVEN_KEY)
        self.refusals.cursor.execute(
            sql.SQL(_PLAN).format(
                plan=staging.plan,
                typed=staging.typed,
                records=self.identity.joins(),
                found=self.identity.found,
                found_step=self._found_step(),
                creates=self._creates(),
                new_key=new_key,
                create=sql.Literal(Step.CREATE),
                problem=self._problem(),
            )
        )
        self.refusals.cursor.execute(sql.SQL("ANALYZE {}").format(staging.plan))
        refuse_unplanned(self.refusals, self.identity)
        self._keep_stored()

    def compare_links(self, relation: str, existing: sql.Composable) -> None:
        """Change the step of rows whose links differ. existing: a query of `parent` and `key`."""
        staging = self.context.staging
        self.refusals.cursor.execute(
            sql.SQL(_DIFFERENT_LINKS).format(
                plan=staging.plan,
                typed=staging.typed,
                links=staging.links,
                relation=sql.Literal(relation),
                existing=existing,
                unchanged=sql.Literal(Step.UNCHANGED),
                update=sql.Literal(Step.UPDATE),
            )
        )

    def keep_named(self) -> None:
        """Create `named`, before rows with errors are deleted from `typed`."""
        staging = self.context.staging
        if self.context.spec.action is not Action.OVERWRITE:
            return
        columns = [
            sql.SQL("{} AS {}").format(typed(each), staging.key(number))
            for number, each in enumerate(self.identity.key)
        ]
        self.refusals.cursor.execute(
            sql.SQL(_NAMED).format(
                named=staging.named,
                columns=sql.SQL(", ").join([sql.SQL('typed.longshore_row AS "row"'), *columns]),
                typed=staging.typed,
                plan=staging.plan,
                create=_CREATE,
            )
        )

    def finish(self, *, has_refused: bool) -> None:
        """Delete the rows that will not be written, and the column `problem`.

        An overwrite keeps the refused rows whose record is known: it must not delete the record.
        """
        cursor, staging = self.refusals.cursor, self.context.staging
        if has_refused:
            is_kept: sql.Composable = sql.SQL("false")
            if self.context.spec.action is Action.OVERWRITE:
                is_kept = sql.SQL("(key IS NOT NULL OR step IS NOT DISTINCT FROM {})").format(
                    _CREATE
                )
            values = {"plan": staging.plan, "typed": staging.typed, "create": _CREATE}
            refused = sql.Literal(Step.REFUSED)
            has_given_key: sql.Composable = sql.SQL("true")
            if not self.identity.gives_keys:
                has_given_key = sql.SQL("step IS DISTINCT FROM {}").format(_CREATE)
            cursor.execute(sql.SQL(_DELETE).format(**values, is_kept=is_kept))
            cursor.execute(
                sql.SQL(_KEEP_REFUSED).format(
                    **values, refused=refused, has_given_key=has_given_key
                )
            )
        cursor.execute(sql.SQL("ALTER TABLE {} DROP COLUMN problem").format(staging.plan))

    def _keep_stored(self) -> None:
        """Set values in `typed` to the stored ones if both have the same cells."""
        if not self.identity.names_records:
            return
        values, differ = [], []
        for column in self.cells.assembly.columns.values():
            if column.same_cells is None:
                continue
            stored, given = sql.Identifier("record", column.name), typed(column)
            is_kept = sql.SQL("({} IS DISTINCT FROM {} AND {})").format(
                given, stored, column.same_cells(stored, given)
            )
            values.append(
                sql.SQL("{} = CASE WHEN {} THEN {} ELSE {} END").format(
                    sql.Identifier(column.name), is_kept, stored, given
                )
            )
            differ.append(is_kept)
        if not values:
            return
        model, staging = self.context.resource.model, self.context.staging
        self.refusals.cursor.execute(
            sql.SQL(_KEEP).format(
                typed=staging.typed,
                plan=staging.plan,
                table=table_name(model),
                key=sql.Identifier(primary_key(model)),
                values=sql.SQL(", ").join(values),
                update=sql.Literal(Step.UPDATE),
                differ=sql.SQL(" OR ").join(differ),
            )
        )

    def _found_step(self) -> sql.Composable:
        """Return SQL of the step of a row whose record exists; null if it may not."""
        spec = self.context.spec
        if spec.action is Action.DELETE:
            return sql.Literal(Step.DELETE)
        if spec.only is Only.CREATE or not self.identity.names_records:
            return sql.NULL
        same = [is_same(each) for each in self.cells.assembly.columns.values()]
        return sql.SQL("CASE WHEN {} THEN {} ELSE {} END").format(
            sql.SQL(" AND ").join([*same, sql.SQL("true")]),
            sql.Literal(Step.UNCHANGED),
            sql.Literal(Step.UPDATE),
        )

    def _creates(self) -> sql.Composable:
        """Return SQL of a test whether a row without a record creates one."""
        return sql.SQL("({}) IS NULL").format(self._unplanned())

    def _problem(self) -> sql.Composable:
        spec = self.context.spec
        exists: sql.Composable = sql.NULL
        if spec.action is not Action.DELETE and spec.only is Only.CREATE:
            exists = sql.Literal(Problem.EXISTS)
        return sql.SQL("CASE WHEN {} IS NOT NULL THEN {} ELSE {} END").format(
            self.identity.found, exists, self._unplanned()
        )

    def _unplanned(self) -> sql.Composable:
        """Return SQL of the problem of a row without a record; null if it creates one."""
        spec = self.context.spec
        identity = [
            *self.identity.key,
            *([self.cells.assembly.key] if self.cells.assembly.key else []),
        ]
        cases = [
            sql.SQL("WHEN {} = ANY (typed.{}) THEN {}").format(
                sql.Literal(self.cells.columns.index(each)), FAILED, sql.Literal(Problem.UNREADABLE)
            )
            for each in identity
        ]
        gives_keys = self.identity.gives_keys
        must_exist = spec.action is Action.DELETE or spec.only is Only.UPDATE
        # Without a default, records whose key no row may give cannot be created.
        must_exist = must_exist or not (gives_keys or self.defaults.assigns_keys)
        if self.identity.has_id and (must_exist or not gives_keys):
            unknown = sql.Literal(Problem.UNKNOWN_ID)
            cases.append(sql.SQL("WHEN typed.{} IS NOT NULL THEN {}").format(GIVEN_KEY, unknown))
        no_key, unknown = sql.Literal(Problem.NO_KEY), sql.Literal(Problem.UNKNOWN_KEY)
        if not self.identity.key and (must_exist or (self.context.targets.key and not gives_keys)):
            cases.append(sql.SQL("WHEN true THEN {}").format(no_key))
        for each in self.identity.key:
            cases.append(sql.SQL("WHEN {} THEN {}").format(self.identity.is_empty(each), no_key))
        if must_exist:
            cases.append(sql.SQL("WHEN true THEN {}").format(unknown))
        elif gives_keys:
            given = sql.SQL("typed.{}").format(GIVEN_KEY) if self.identity.has_id else sql.NULL
            no_id = sql.Literal(Problem.NO_ID)
            cases.append(sql.SQL("WHEN {} IS NULL THEN {}").format(given, no_id))
        if not cases:
            return sql.SQL("NULL::text")
        return sql.SQL("CASE {} END").format(sql.SQL(" ").join(cases))
