"""Foreign keys: the cells of an input that name the related record of one column.

An input may name it in several ways: by `<relation>_id`, by another identifying field, by a label.
For each row the first cell that has a value decides; the others must not name other records.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from psycopg import sql

from batches.context import Context
from batches.errors import RowErrorCode
from batches.validation import messages
from batches.validation.columns import Source
from batches.validation.conversion import CellForm, Problem, fails
from batches.validation.given import Given, cell_of
from batches.validation.references import Reference, lookup_alias, referred_field, referring
from batches.validation.scalars import Cell
from longshore.resources.columns import Column
from longshore.resources.relations import Relation


@dataclass(frozen=True)
class Lookup:
    """A lookup table that must exist before the cells are read. texts: its query of references."""

    reference: Reference
    texts: sql.Composable


@dataclass(frozen=True)
class _Naming:
    """A cell that names a related record."""

    given: Given
    cell: Cell
    reference: Reference

    @property
    def name(self) -> str:
        return self.given.target.name

    @property
    def shown(self) -> sql.Composable:
        return messages.shown(self.reference.shown(self.cell.text))


@dataclass(frozen=True)
class ForeignKeyCells:
    """The cells that set one foreign key.

    given: of the input and of the properties. tables: the number of lookup tables of other columns.
    """

    context: Context
    column: Column
    given: Sequence[Given]
    tables: int

    def sources(self) -> list[Source]:
        """Return the sources of the column, in the order of precedence."""
        found = []
        for position, each in enumerate(self._naming):
            problems = [
                self._contradiction(each, other)
                for other in self._naming[position + 1 :]
                if other.given.number is not None
            ]
            conversion = referring(each.cell, each.reference).with_problems(*problems)
            found.append(Source(each.name, conversion, each.given.numbers))
        return found

    @property
    def lookups(self) -> list[Lookup]:
        return [Lookup(each.reference, self._texts(each)) for each in self._naming]

    def warnings(self) -> list[str]:
        """Return sentences about columns of the input that do not decide every row."""
        first, *others = self._naming
        return [
            messages.given_twice(first.name, other.name)
            for other in others
            if other.given.number is not None
        ]

    @cached_property
    def _naming(self) -> list[_Naming]:
        ordered = sorted(self.given, key=self._precedence)
        return [self._of(given, self.tables + number) for number, given in enumerate(ordered)]

    def _of(self, given: Given, number: int) -> _Naming:
        relation, by, form = given.target.relation, given.target.by, given.form
        if relation is None:
            relation = self._relation
            by, form = referred_field(relation), CellForm.TABLE
        table = self.context.staging.working("lookup", number)
        reference = Reference(relation, by, form, table)
        return _Naming(given, cell_of(self.context, given, self.column), reference)

    @property
    def _relation(self) -> Relation:
        """The relation of the column, declared or only on the model."""
        resource = self.context.resource
        name = self.context.targets.field(self.column).name
        declared = resource.relations_by_name.get(name)
        return declared or Relation.undeclared(resource.model, name)

    def _precedence(self, given: Given) -> tuple[bool, int]:
        """Return the sort key of a cell: `<relation>_id` first, then by identifying field."""
        target = given.target
        if target.relation is None:
            return given.number is None, -1
        fields = self.context.targets.identifying_fields(target.relation)
        position = fields.index(target.by) if target.by in fields else len(fields)
        return given.number is None, position

    def _texts(self, naming: _Naming) -> sql.Composable:
        if naming.given.number is None:
            return fails("SELECT {} AS reference", naming.cell.raw)
        rows = self.context.staging.input
        return fails("SELECT {} AS reference FROM {} AS input", naming.cell.raw, rows)

    def _contradiction(self, used: _Naming, spare: _Naming) -> Problem:
        """Return the problem of two cells that do not name the same record."""
        key = sql.Identifier(lookup_alias(used.cell), "key")
        same = spare.reference.names(self.context, lookup_alias(spare.cell), key)
        noun = str(used.reference.relation.target._meta.verbose_name)
        message = sql.SQL("{} || {} || ' and ' || {} || '.'").format(
            sql.Literal(messages.different_records(used.name, spare.name, noun) + ": "),
            used.shown,
            spare.shown,
        )
        return Problem(
            fails("{} IS NOT NULL AND NOT coalesce({}, false)", spare.cell.text, same),
            RowErrorCode.INVALID_VALUE,
            message,
        )
