"""Identity: by which columns the rows of an input name their records."""

from functools import cached_property

from psycopg import sql

from batches.context import Context
from batches.spec import Action, Only
from batches.validation.cells import GIVEN_KEY, Cells
from batches.validation.columns import SetColumn
from batches.validation.scalars import is_text
from longshore.database.column_types import db_type, sql_type
from longshore.database.tables import table_name
from longshore.resources.columns import primary_key
from longshore.resources.conditions import scope

_BY_BOTH = """LEFT JOIN {visible} AS by_id ON by_id.{pk} = typed.{given} AND {by_id_within}
LEFT JOIN {visible} AS by_key ON typed.{given} IS NULL AND {by_key}
LEFT JOIN {visible} AS record ON record.{pk} = coalesce(by_id.{pk}, by_key.{pk})"""


class Identity:
    """How the rows of one attempt name their records.

    has_id: whether the input has a column of primary keys.
    key: the columns of the resource's key, if the input has all of them.
    names: of the columns that identify a record, for messages. missing: those that the input lacks.
    noun: what a record is called in messages.
    gives_keys: whether rows give new records their primary keys.
    """

    def __init__(self, context: Context, cells: Cells, *, gives_keys: bool) -> None:
        model = context.resource.model
        self._context = context
        self._pk = sql.Identifier(primary_key(model))
        self.id_name = model._meta.pk.name
        self.id_type = sql_type(model._meta.pk)
        self.noun = str(model._meta.verbose_name)
        self.gives_keys = gives_keys and context.resource.writable_key is not None
        self._id = cells.assembly.key
        self.has_id = self._id is not None
        keys = [column.name for column in context.targets.key]
        columns = cells.assembly.columns
        given = [columns[name] for name in keys if name in columns]
        self.key: list[SetColumn] = given if len(given) == len(keys) else []
        part = context.part
        named = [name for name in keys if part is None or name != part.field.attname]
        self.names = named or [self.id_name]
        self.missing = [name for name in self.names if name not in columns]

    @cached_property
    def found(self) -> sql.Composable:
        """SQL of the primary key of the record that a row names; null without one."""
        if self.names_records:
            return sql.SQL("record.{}").format(self._pk)
        return sql.SQL("NULL::{}").format(self.id_type)

    def joins(self) -> sql.Composable:
        """Return the joins of `typed` with the organization's records that the rows name."""
        model = self._context.resource.model
        visible = sql.SQL("(SELECT found.* FROM {} AS found WHERE {})").format(
            table_name(model),
            scope(self._context.resource, self._context.organization_id, "found"),
        )
        if self.has_id and not self.key:
            template = (
                "LEFT JOIN {visible} AS record ON record.{pk} = typed.{given} AND {record_within}"
            )
        elif self.has_id:
            template = _BY_BOTH
        elif self.key:
            template = "LEFT JOIN {visible} AS record ON {by_key}"
        else:
            return sql.SQL("")
        other = "by_key" if self.has_id else "record"
        by_key = sql.SQL(" AND ").join(
            sql.SQL("{} = {}").format(sql.Identifier(other, each.name), typed(each))
            for each in self.key
        )
        return sql.SQL(template).format(
            visible=visible,
            pk=self._pk,
            given=GIVEN_KEY,
            by_key=sql.SQL("{} AND {}").format(by_key, self._within(other)) if self.key else by_key,
            by_id_within=self._within("by_id"),
            record_within=self._within("record"),
        )

    def _within(self, alias: str) -> sql.Composable:
        """Return SQL of a test whether a part belongs to its row's record."""
        part = self._context.part
        return part.is_within(alias, "typed") if part else sql.SQL("true")

    @property
    def creates_by_key(self) -> bool:
        """Whether a row with an unknown primary key creates a record with it."""
        spec = self._context.spec
        return self.gives_keys and spec.action is not Action.DELETE and spec.only is not Only.UPDATE

    @property
    def names_records(self) -> bool:
        """Whether rows may name records that exist."""
        return self.has_id or bool(self.key)

    def typed_name(self, column: SetColumn) -> sql.Identifier:
        """Return the name of the column of `typed` with a column's values."""
        return GIVEN_KEY if column is self._id else sql.Identifier(column.name)

    def is_changed(self, column: SetColumn) -> sql.Composable:
        """Return SQL of a test whether a row has no record, or changes its value."""
        if not self.names_records:
            return sql.SQL("true")
        if column is self._id:
            return sql.SQL("{} IS NULL").format(self.found)
        return sql.SQL("({} IS NULL OR NOT {})").format(self.found, is_same(column))

    def is_empty(self, column: SetColumn) -> sql.Composable:
        """Return SQL of a test whether a row of `typed` has no value of a column of the key."""
        test = sql.SQL("{} IS NULL").format(typed(column))
        # The parts of one record may have an empty text as their key, if the model allows it.
        may_be_blank = self._context.part is not None and column.field.blank
        if is_text(column.column, column.field) and not may_be_blank:
            test = sql.SQL("coalesce({}, '') = ''").format(typed(column))
        if column.absent is None:
            return test
        return sql.SQL("({} OR {} = ANY (typed.longshore_absent))").format(
            test, sql.Literal(column.name)
        )


def is_same(column: SetColumn) -> sql.Composable:
    """Return SQL of a test whether a row leaves the value of its record as it is."""
    stored: sql.Composable = sql.Identifier("record", column.name)
    given = typed(column)
    if db_type(column.field) == "json":
        stored, given = (sql.SQL("{}::jsonb").format(each) for each in (stored, given))
    same = sql.SQL("{} IS NOT DISTINCT FROM {}").format(stored, given)
    if column.same_cells is not None:
        same = sql.SQL("({} OR coalesce({}, false))").format(same, column.same_cells(stored, given))
    if column.absent is None:
        return same
    return sql.SQL("({} OR {} = ANY (typed.longshore_absent))").format(
        same, sql.Literal(column.name)
    )


def typed(column: SetColumn) -> sql.Composable:
    """Return the column of `typed` with a column's values."""
    return sql.Identifier("typed", column.name)
