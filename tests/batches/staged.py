"""Rows in the staging table of an attempt, as a parser leaves them, and what validation found."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import psycopg
from django.db import connection
from django.utils import timezone
from psycopg import sql

from batches.context import Context
from batches.models import Batch, Via
from batches.parsing.loading import create_tables
from batches.spec import BatchSpec
from batches.staging import TYPED_ABSENT, TYPED_ROW, Staging
from batches.validation.conversion import CellForm
from batches.validation.validation import Validated, validate
from longshore.accounts.models import Organization
from longshore.resources.registry import Resource, registry

_numbers = count(1)
# Stands for a key that a JSON record does not have.
ABSENT = object()


@dataclass
class Attempt:
    """A validated input."""

    context: Context
    validated: Validated

    @property
    def errors(self) -> list[tuple[int | None, str, str, str]]:
        """The errors as row, column, code and message."""
        query = sql.SQL('SELECT row, "column", code, message FROM {} ORDER BY row, id')
        with connection.cursor() as cursor:
            cursor.execute(query.format(self.context.staging.errors).as_string())
            return [*cursor.fetchall()]

    def typed(self) -> list[dict[str, Any]]:
        """The typed rows, with `row` and `absent` under these names."""
        names = {TYPED_ROW: "row", TYPED_ABSENT: "absent"}
        return [
            {names.get(name, name): value for name, value in row.items()}
            for row in self.read(self.context.staging.typed, TYPED_ROW)
        ]

    def plan(self) -> list[dict[str, Any]]:
        return self.read(self.context.staging.plan, '"row"')

    def links(self) -> list[dict[str, Any]]:
        return self.read(self.context.staging.links, '"row", relation, key')

    def read(self, table: sql.Identifier, order: str) -> list[dict[str, Any]]:
        query = sql.SQL("SELECT row_to_json(found) FROM (SELECT * FROM {} ORDER BY {}) AS found")
        with connection.cursor() as cursor:
            cursor.execute(query.format(table, sql.SQL(order)).as_string())
            return [row for (row,) in cursor.fetchall()]


def stage(
    organization: Organization,
    resource: str | Resource,
    header: Sequence[str],
    rows: Sequence[Any],
    *,
    form: CellForm = CellForm.TABLE,
    batch: Batch | None = None,
    claim: str = "",
    **spec: Any,
) -> Attempt:
    """Write rows of texts into a staging table and validate them."""
    found = registry.get(resource) if isinstance(resource, str) else resource
    assert found is not None
    request = BatchSpec(resource=found.name, **spec)
    batch = batch or Batch.objects.create(
        organization=organization,
        resource=found.name,
        spec=request.to_json(),
        action=request.action,
        mode=request.mode,
        via=Via.API,
        lane="quick",
        request={},
        expires_at=timezone.now(),
    )
    context = Context(batch, request, found, Staging(claim or f"claim_{next(_numbers)}"))
    targets = [context.targets.find(name) for name in header]
    cursor: psycopg.Cursor[Any] = connection.connection.cursor()
    create_tables(cursor, context.staging, len(header))
    with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(context.staging.input)) as copy:
        for number, row in enumerate(rows, 1):
            absent = [position for position, cell in enumerate(row) if cell is ABSENT]
            cells = [None if cell is ABSENT else cell for cell in row]
            copy.write_row((number, *cells, absent or None))
    return Attempt(context, validate(cursor, context, targets, [form] * len(targets)))
