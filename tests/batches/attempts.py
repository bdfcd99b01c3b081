"""Attempts of batches with staged rows, for tests of writing, deletion and undo."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import connection, models
from django.db.models.functions import Now
from django.utils import timezone
from psycopg import sql

from batches import row_errors
from batches.context import Context
from batches.errors import RowErrorCode
from batches.merging import refusals
from batches.merging.records import Counts, Staged
from batches.merging.tables import Table
from batches.merging.undo import Outcome, Undo
from batches.merging.writing import Merge
from batches.models import Batch, BatchError
from batches.spec import Action, BatchSpec, Mode
from batches.staging import Staging, Step
from longshore.accounts.models import Organization
from longshore.database.ids import new_id
from longshore.jobs.statuses import Status
from longshore.resources.columns import column_name
from longshore.resources.registry import Resource

CREATE_ONLY = ("created_at",)
_OWNER = "organization_id"


class Attempt:
    """A claimed batch whose rows the test stages itself.

    columns: the columns of the input; by default those that rows set.
    """

    def __init__(
        self,
        organization: Organization,
        resource: Resource,
        *,
        batch: Batch | None = None,
        reverses: Batch | None = None,
        relations: Sequence[str] = (),
        **spec: Any,
    ) -> None:
        self.organization = organization
        self.resource = resource
        self.relations = tuple(relations)
        parsed = BatchSpec(resource=resource.name, **spec)
        claim = new_id("claim")
        if batch is None:
            batch = Batch(
                organization=organization,
                resource=resource.name,
                request={},
                spec=parsed.to_json(),
                action=parsed.action,
                mode=Mode.MIXED,
                via="api",
                status=Status.PROCESSING,
                expires_at=timezone.now() + timedelta(days=1),
                reverses=reverses,
            )
        batch.claims = [*batch.claims, claim]
        batch.save()
        self.batch = batch
        self.context = Context(batch, parsed, resource, Staging(claim))
        self.table = Table(resource.model)
        self._rows = 0
        self._create_tables()

    def _create_tables(self) -> None:
        staging, targets = self.context.staging, self.context.targets
        columns = [name for name in self.table.fields if name not in (self.table.key, _OWNER)]
        self._execute(
            "CREATE UNLOGGED TABLE {} AS SELECT NULL::bigint AS longshore_row,"
            " NULL::text[] AS longshore_absent, {}"
            " FROM {} WHERE false",
            staging.typed,
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            self.table.name,
        )
        self._execute(
            "CREATE UNLOGGED TABLE {} (relation text, row bigint, key text)", staging.links
        )
        keys = [column_name(targets.field(each)) for each in targets.key]
        self._keys = keys if {*keys} <= {*columns} else []
        self._execute(
            "CREATE UNLOGGED TABLE {} AS SELECT {} FROM {} WHERE false",
            staging.named,
            sql.SQL(", ").join(
                [
                    sql.SQL("NULL::bigint AS row"),
                    *(
                        sql.SQL("{} AS {}").format(sql.Identifier(name), staging.key(number))
                        for number, name in enumerate(self._keys)
                    ),
                ]
            ),
            self.table.name,
        )
        self._execute("{}", row_errors.create(staging))
        self._execute(
            "CREATE UNLOGGED TABLE {} (row bigint, key {}, step text)",
            staging.plan,
            self.table.key_type,
        )

    def create(self, links: Mapping[str, Sequence[models.Model]] = {}, **values: Any) -> str:
        """Stage a row that creates a record. Returns its key, if the client chooses it."""
        model = self.resource.model
        defaults = {
            field.attname: field.get_default()
            for field in self.table.fields.values()
            if field.has_default() and field.attname not in (self.table.key, _OWNER)
        }
        key = model._meta.pk.get_default()
        self._stage(Step.CREATE, key, {**defaults, **values}, None, links)
        return str(key)

    def update(
        self,
        key: Any,
        links: Mapping[str, Sequence[models.Model]] = {},
        absent: Sequence[str] | None = None,
        **values: Any,
    ) -> None:
        """Stage a row that updates a record. absent: what the row does not set."""
        self._stage(Step.UPDATE, key, values, absent, links)

    def refuse(self, row: int) -> None:
        """Stage the error of a row that is not planned."""
        refusals.store(self.context, [refusals.Refusal(row, RowErrorCode.MALFORMED_ROW, "")])

    def plan(self, step: Step, key: Any) -> None:
        """Stage a row without values: one to delete, an unchanged one, or one with an error."""
        self._stage(step, key, {}, None, {})

    def _stage(
        self,
        step: Step,
        key: Any,
        values: Mapping[str, Any],
        absent: Sequence[str] | None,
        links: Mapping[str, Sequence[models.Model]],
    ) -> None:
        self._rows += 1
        staging = self.context.staging
        self._execute(
            "INSERT INTO {} VALUES ({}, {}, {})",
            staging.plan,
            *map(sql.Literal, (self._rows, key, step.value)),
        )
        fields = self.table.fields
        literals = [
            sql.Literal(fields[name].get_db_prep_save(value, connection))
            for name, value in values.items()
        ]
        self._execute(
            "INSERT INTO {} (longshore_row, longshore_absent{}) VALUES ({}, {}{})",
            staging.typed,
            sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier(name)) for name in values),
            sql.Literal(self._rows),
            sql.Literal(list(absent) if absent else None),
            sql.SQL("").join(sql.SQL(", {}").format(each) for each in literals),
        )
        if step is Step.CREATE:
            self._execute(
                "INSERT INTO {} SELECT longshore_row{} FROM {} WHERE longshore_row = {}",
                staging.named,
                sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier(n)) for n in self._keys),
                staging.typed,
                sql.Literal(self._rows),
            )
        for relation, records in links.items():
            for record in records:
                self._execute(
                    "INSERT INTO {} VALUES ({}, {}, {})",
                    staging.links,
                    *map(sql.Literal, (relation, self._rows, str(record.pk))),
                )

    def merge(self, given: Sequence[str] | None = None) -> Merge:
        """Return the writing of the attempt, prepared.

        given: the columns of the input; rows set the others only for created records.
        """
        create_only: Sequence[str] = CREATE_ONLY
        if given is not None:
            create_only = [name for name in self.table.fields if name not in given]
        owner = sql.Literal(self.organization.pk)
        staged = Staged(self.context, create_only, self.relations, {_OWNER: owner})
        merge = Merge(staged)
        self.planned = merge.prepare()
        return merge

    def write(self, given: Sequence[str] | None = None) -> Counts:
        """Write the staged rows, and clean up."""
        merge = self.merge(given)
        merge.write()
        merge.clean_up()
        return merge.counts

    def errors(self) -> list[tuple[int | None, str, str]]:
        """Return row, code and message of each error."""
        errors = BatchError.objects.filter(batch=self.batch)
        return list(errors.order_by("row", "pk").values_list("row", "code", "message"))

    def _execute(self, template: str, *parts: sql.Composable) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL(template).format(*parts))


def again(attempt: Attempt, **options: Any) -> Attempt:
    """Return the next attempt of the same batch, without rows."""
    batch = Batch.objects.get(pk=attempt.batch.pk)
    spec = attempt.context.spec
    return Attempt(
        attempt.organization,
        attempt.resource,
        batch=batch,
        relations=attempt.relations,
        action=spec.action,
        on_error=spec.on_error,
        only=spec.only,
        **options,
    )


def undo(attempt: Attempt) -> tuple[Outcome, Attempt]:
    """Undo a batch. Returns the outcome, and the attempt that undid it."""
    undoing = Attempt(attempt.organization, attempt.resource, reverses=attempt.batch)
    Batch.objects.filter(pk=attempt.batch.pk).update(undone_at=Now())
    return Undo(undoing.context, attempt.batch).run(), undoing


def deletion(organization: Organization, resource: Resource, *keys: Any) -> Attempt:
    """Return an attempt that deletes records."""
    attempt = Attempt(organization, resource, action=Action.DELETE)
    for key in keys:
        attempt.plan(Step.DELETE, key)
    return attempt
