"""Creation: what the records to create need beyond the input.

Columns without a value and without a default are errors. Defaults that only Python can compute
become columns of `typed`, or keys of `plan`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from batches.errors import RowErrorCode
from batches.staging import TYPED_ROW, Step
from batches.validation import messages
from batches.validation.cells import Cells
from batches.validation.columns import SetColumn
from batches.validation.defaults import Defaults
from batches.validation.distinct import blocks
from batches.validation.refusals import Refusals
from longshore.database.column_types import sql_type
from longshore.database.tables import table_name
from longshore.resources.columns import AnyField, column_name

_MISSING = """SELECT plan."row", {column} AS "column", {code} AS code, NULL AS value,
 {message} AS message
FROM {plan} AS plan JOIN {typed} AS typed ON typed.longshore_row = plan.row
WHERE plan.step = {create} AND {lacks}"""
_ROWS = """SELECT plan."row" FROM {plan} AS plan
JOIN {typed} AS typed ON typed.longshore_row = plan.row
WHERE plan.step = {create} AND {lacks}"""
_TAKEN = """SELECT plan."row", {column} AS "column", {code} AS code, NULL AS value,
 {message} AS message
FROM {plan} AS plan JOIN {table} AS record ON record.{key} = plan.key WHERE plan.step = {create}"""


@dataclass
class Creation:
    """Completes the records that one attempt creates."""

    refusals: Refusals
    cells: Cells
    defaults: Defaults

    def refuse_incomplete(self) -> None:
        """Write the errors of created records that lack a value."""
        for field, column, lacks in self._lacking():
            if self.defaults.by_column[column_name(field)].is_missing:
                name = column.sources[0].name if column else field.attname
                message = messages.plain(messages.missing_value(name))
                self.refusals.add(
                    self._select(
                        _MISSING,
                        lacks,
                        column=sql.Literal(name),
                        code=sql.Literal(RowErrorCode.MISSING_VALUE),
                        message=message,
                    )
                )

    def refuse_taken(self) -> None:
        """Write the errors of created records whose primary key another record has.

        The record is of another organization, or not visible to batches.
        """
        model = self.refusals.context.resource.model
        key: Any = model._meta.pk
        self.refusals.add(
            sql.SQL(_TAKEN).format(
                column=sql.Literal(key.attname),
                code=sql.Literal(RowErrorCode.NOT_UNIQUE),
                message=sql.Literal(
                    messages.not_unique([key.attname], str(model._meta.verbose_name))
                ),
                plan=self.refusals.context.staging.plan,
                create=sql.Literal(Step.CREATE),
                table=table_name(model),
                key=sql.Identifier(column_name(key)),
            )
        )

    def fill(self) -> tuple[str, ...]:
        """Call Python for its defaults. Return the columns of `typed` that this adds."""
        staging = self.refusals.context.staging
        added = []
        for field, column, lacks in self._lacking():
            call = self.defaults.by_column[column_name(field)].call
            if call is None:
                continue
            if column is None:
                added.append(column_name(field))
                self.refusals.cursor.execute(
                    sql.SQL("ALTER TABLE {} ADD COLUMN {} {}").format(
                        staging.typed, sql.Identifier(added[-1]), sql_type(field)
                    )
                )
            self._copy(staging.typed, column_name(field), field, call, lacks, row=TYPED_ROW)
        if self.defaults.key.call is not None:
            pk: Any = self.refusals.context.resource.model._meta.pk
            self._copy(staging.plan, "key", pk, self.defaults.key.call, sql.SQL("true"))
        return tuple(added)

    def _lacking(self) -> Iterator[tuple[AnyField, SetColumn | None, sql.Composable]]:
        """Yield the fields that created records may lack, each with a test of a row."""
        columns = {each.name: each for each in self.cells.assembly.columns.values()}
        for field in self.refusals.context.resource.model._meta.concrete_fields:
            if column_name(field) not in self.defaults.by_column:
                continue
            column = columns.get(column_name(field))
            if column is None:
                yield field, None, sql.SQL("true")
            elif column.absent is not None:
                name = sql.Literal(column.name)
                yield field, column, sql.SQL("{} = ANY (typed.longshore_absent)").format(name)

    def _select(
        self, template: str, lacks: sql.Composable, **values: sql.Composable
    ) -> sql.Composable:
        staging = self.refusals.context.staging
        return sql.SQL(template).format(
            plan=staging.plan,
            typed=staging.typed,
            create=sql.Literal(Step.CREATE),
            lacks=lacks,
            **values,
        )

    def _copy(
        self,
        table: sql.Identifier,
        column: str,
        field: AnyField,
        call: Callable[[], Any],
        lacks: sql.Composable,
        row: str = "row",
    ) -> None:
        """Set a column of the rows that create records to a new value for each row.

        row: the column of the table that has the number of the row.
        """
        cursor = self.refusals.cursor
        filled = self.refusals.context.staging.working("filled", 0)
        cursor.execute(
            sql.SQL('CREATE UNLOGGED TABLE {} ("row" bigint, value {})').format(
                filled, sql_type(field)
            )
        )
        for rows in blocks(cursor, self._select(_ROWS, lacks)):
            # Before the COPY: a default may query the database on the same connection.
            values = [(number, call()) for (number,) in rows]
            statement = sql.SQL("COPY {} FROM STDIN").format(filled)
            with cursor.copy(statement) as copy:
                for value in values:
                    copy.write_row(value)
        cursor.execute(
            sql.SQL(
                "UPDATE {} AS completed SET {} = filled.value FROM {} AS filled"
                ' WHERE filled."row" = completed.{}'
            ).format(table, sql.Identifier(column), filled, sql.Identifier(row))
        )
        cursor.execute(sql.SQL("DROP TABLE {}").format(filled))
