"""The context of an attempt: batch, spec, resource, staging tables."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from psycopg import sql

from batches.models import Batch
from batches.parts import Part, position_of, record_of
from batches.spec import Action, BatchSpec
from batches.staging import Staging
from batches.targets import Targets
from longshore.resources.conditions import scope
from longshore.resources.registry import Resource


@dataclass(frozen=True)
class Context:
    """One attempt of a batch, or the parts of its records.

    staging: the tables of the attempt.
    part: the relation whose parts are written with the records of `outer`; None for the records of
        the rows themselves.
    is_repeated: whether each part has a row of the input of its own.
    headers: of the input, by the names of their targets, where they differ.
    ignores_repeated: whether rows may be repeated by a relation whose columns the batch ignores.
    """

    batch: Batch
    spec: BatchSpec
    resource: Resource
    staging: Staging
    part: Part | None = None
    outer: "Context | None" = None
    is_repeated: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    ignores_repeated: bool = False

    @property
    def organization_id(self) -> str:
        return self.batch.organization_id

    @cached_property
    def targets(self) -> Targets:
        return Targets(self.resource)

    @property
    def replaces_parts(self) -> bool:
        """Whether the parts that a row gives replace those that its record has."""
        if self.outer is not None:
            return self.outer.replaces_parts
        return self.spec.action is Action.OVERWRITE

    def owns(self, row: str) -> sql.Composable:
        """Return SQL of a test whether a record belongs to the organization.

        For queries that find the record by its key. row: alias of the record's table.
        """
        # `IS TRUE` keeps PostgreSQL from using the index of the organization. Until ANALYZE sees a
        # new organization, PostgreSQL expects one record in it, and would read all of its records
        # for each chunk.
        return sql.SQL("({}) IS TRUE").format(scope(self.resource, self.organization_id, row))

    def row_of(self, number: sql.Composable) -> sql.Composable:
        """Return SQL of the row of the input that has a record."""
        if self.outer is None:
            return number
        row = self.outer.row_of(record_of(number))
        return sql.SQL("({} + {})").format(row, position_of(number)) if self.is_repeated else row

    def path_of(self, number: sql.Composable, column: sql.Composable) -> sql.Composable:
        """Return SQL of the header of a record's column; column: SQL of its name, or of ''."""
        if self.outer is None or self.part is None:
            return self._header_of(column)
        own = sql.SQL("concat_ws('.', {}, {}, nullif({}, ''))").format(
            sql.Literal(self.part.relation.name),
            sql.NULL if self.is_repeated else position_of(number),
            column,
        )
        return self.outer.path_of(record_of(number), own)

    def _header_of(self, name: sql.Composable) -> sql.Composable:
        if not self.headers:
            return name
        headers = sql.Literal(json.dumps(dict(self.headers)))
        return sql.SQL("coalesce({}::jsonb ->> {}, {})").format(headers, name, name)

    def place_of(self, number: sql.Composable) -> sql.Composable:
        """Return SQL of the place of a record in the input, such as `row 3`, for messages."""
        row = sql.SQL("'row ' || {}").format(self.row_of(number))
        if self.outer is None or self.is_repeated:
            return row
        return sql.SQL("{} || ' of ' || {}").format(self.path_of(number, sql.Literal("")), row)
