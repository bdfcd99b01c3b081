"""Keeps the first records of a dry run: what would change, and rows with errors."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from batches.context import Context
from batches.execution.failed_rows import MAX_CHARACTERS, keep_failed
from batches.execution.preview_rows import read_records
from batches.merging.tables import Table
from batches.models import DryRunRecord
from batches.parts import MAX_PARTS, record_of
from batches.spec import Action
from batches.staging import Step
from batches.targets import Target
from batches.validation.links import existing_links
from batches.validation.validation import Validated
from longshore.resources.columns import column_name
from longshore.resources.registry import Resource

# Maximum number of records stored for each step; further records are only counted.
MAX_RECORDS = 100
# Parts of one relation that are compared, of all kept records together.
_MAX_PARTS = 1_000
_MORE_PARTS = "… (more of them would change)"

_PLANNED = "SELECT row FROM {plan} WHERE step = {step} ORDER BY row LIMIT {maximum}"
_DELETED = "SELECT {row} AS row, key::text AS key FROM {source} ORDER BY row LIMIT {maximum}"
_PARTS = (
    "SELECT row, {record} AS record FROM {plan} WHERE {record} = ANY ({records})"
    " AND step IN ({create}, {update}) ORDER BY row"
)
_ABSENT_PARTS = (
    "SELECT row AS record, key FROM {absent} WHERE row = ANY ({records}) ORDER BY row, key"
)
_FIRST = "SELECT {columns} FROM ({parts} LIMIT {maximum}) AS first"
_FURTHER = "SELECT DISTINCT record FROM ({parts} OFFSET {maximum}) AS further"
_STORED = (
    "SELECT record.{key}::text, row_to_json(stored.*) FROM {table} AS record"
    " CROSS JOIN LATERAL (SELECT {columns}) AS stored WHERE record.{key} = ANY ({keys}::{type}[])"
)
_LINKS = (
    "SELECT parent::text, json_agg(key ORDER BY key) FROM ({existing}) AS existing"
    " WHERE parent = ANY ({keys}::{type}[]) GROUP BY parent"
)
_ABSENT_NAMES = (
    "SELECT longshore_row, longshore_absent FROM {typed} WHERE longshore_row = ANY ({rows})"
    " AND longshore_absent IS NOT NULL"
)


@dataclass
class _Change:
    """A record that would be written. values, before: as in `DryRunRecord`."""

    row: int
    step: Step
    key: str | None
    values: dict[str, Any]
    before: dict[str, Any] = field(default_factory=dict)


def keep(
    cursor: psycopg.Cursor,
    validated: Validated,
    headers: Sequence[str],
    columns: Sequence[Target | None],
    *,
    is_planned: bool,
) -> None:
    """Store the first records of a dry run, in place of those of earlier attempts.

    headers, columns: as `keep_failed` takes them.
    is_planned: whether it is known what would become of the rows without errors.
    """
    context = validated.context
    batch = context.batch
    DryRunRecord.objects.filter(batch=batch).delete()
    keep_failed(cursor, batch, context.staging, headers, columns)
    if not is_planned:
        return
    records = [
        *_written(cursor, validated, Step.CREATE),
        *_written(cursor, validated, Step.UPDATE),
        *_deleted(cursor, context),
    ]
    DryRunRecord.objects.bulk_create(records)


def _written(cursor: psycopg.Cursor, validated: Validated, step: Step) -> Iterator[DryRunRecord]:
    """Yield the first records that would be created or updated."""
    context = validated.context
    planned = sql.SQL(_PLANNED).format(
        plan=context.staging.plan, step=sql.Literal(step.value), maximum=sql.Literal(MAX_RECORDS)
    )
    for change in _changes(cursor, validated, planned):
        is_update = step is Step.UPDATE
        yield DryRunRecord(
            batch=context.batch,
            step=step,
            row=change.row,
            key=change.key if is_update or validated.gives_keys else None,
            values=_shown(change.values),
            before=_shown(change.before) if is_update else None,
        )


def _changes(cursor: psycopg.Cursor, validated: Validated, rows: sql.Composable) -> list[_Change]:
    """Return what would be written of records and of their parts. rows: a query of their numbers.

    An updated record has only what would change; a part is named by relation and position.
    """
    changes = [
        _Change(row, step, key, values or {})
        for row, step, key, values in read_records(cursor, validated, rows)
        if step is not None
    ]
    updates = [each for each in changes if each.step is Step.UPDATE]
    _compare_columns(cursor, validated, updates)
    _compare_links(cursor, validated, updates)
    for parts in validated.parts:
        _compare_parts(cursor, parts, updates)
    return changes


def _compare_columns(
    cursor: psycopg.Cursor, validated: Validated, updates: Sequence[_Change]
) -> None:
    """Leave only the columns whose stored values differ, and set these."""
    resource = validated.context.resource
    relations = {each.name for each in (*validated.relations, *_relations(validated))}
    names = _columns(resource, validated.columns)
    stored = _stored(cursor, resource, names, [each.key for each in updates])
    for change in updates:
        before = stored.get(change.key or "", {})
        for name in list(change.values):
            if name in relations or change.values[name] == before.get(name):
                del change.values[name]
            else:
                change.before[name] = before.get(name)


def _relations(validated: Validated) -> Iterator[Any]:
    for parts in validated.parts:
        if parts.context.part is not None:
            yield parts.context.part.relation


def _compare_links(
    cursor: psycopg.Cursor, validated: Validated, updates: Sequence[_Change]
) -> None:
    """Add the keys of the linked records that would be others."""
    context, rows = validated.context, [each.row for each in updates]
    if not (validated.relations and rows):
        return
    absent: dict[int, list[str]] = dict(
        cursor.execute(
            sql.SQL(_ABSENT_NAMES).format(typed=context.staging.typed, rows=sql.Literal(rows))
        ).fetchall()
    )
    given: dict[tuple[int, str], list[str]] = {}
    links = sql.SQL("SELECT row, relation, key FROM {} WHERE row = ANY ({}) ORDER BY key")
    cursor.execute(links.format(context.staging.links, sql.Literal(rows)))
    for row, relation, key in cursor.fetchall():
        given.setdefault((row, relation), []).append(key)
    table, keys = Table(context.resource.model), sql.Literal([each.key for each in updates])
    for relation in validated.relations:
        existing = existing_links(context, relation)
        query = sql.SQL(_LINKS).format(existing=existing, keys=keys, type=table.key_type)
        present: dict[str | None, list[str]] = dict(cursor.execute(query).fetchall())
        for change in updates:
            if relation.name in (absent.get(change.row) or ()):
                continue
            new, old = given.get((change.row, relation.name), []), present.get(change.key, [])
            if sorted(new) != sorted(old):
                change.values[relation.name], change.before[relation.name] = new, old


def _compare_parts(cursor: psycopg.Cursor, parts: Validated, updates: Sequence[_Change]) -> None:
    """Add the values of parts that would be created, updated or deleted."""
    context, part = parts.context, parts.context.part
    if part is None or not updates:
        return
    name, records = part.relation.name, {each.row: each for each in updates}
    keys = sql.Literal(list(records))
    written = sql.SQL(_PARTS).format(
        plan=context.staging.plan,
        record=record_of(sql.Identifier("row")),
        records=keys,
        create=sql.Literal(Step.CREATE.value),
        update=sql.Literal(Step.UPDATE.value),
    )
    for change in _changes(cursor, parts, _cut(_FIRST, written, "row")):
        record = records[change.row // MAX_PARTS]
        for field_name, value in change.values.items():
            path = f"{name}.{change.row % MAX_PARTS}.{field_name}"
            record.values[path], record.before[path] = value, change.before.get(field_name)
    queries = [written]
    if context.replaces_parts:
        absent = sql.SQL(_ABSENT_PARTS).format(absent=context.staging.absent, records=keys)
        for row, key in cursor.execute(_cut(_FIRST, absent, "record", "key")).fetchall():
            path = f"{name}.{key}"
            records[row].values[path], records[row].before[path] = None, key
        queries.append(absent)
    for query in queries:
        for (row,) in cursor.execute(_cut(_FURTHER, query)).fetchall():
            records[row].values[name] = records[row].before[name] = _MORE_PARTS


def _cut(query: LiteralString, parts: sql.Composable, *columns: str) -> sql.Composed:
    """Return a query of the first parts that are compared, or of the records of further ones."""
    return sql.SQL(query).format(
        parts=parts,
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        maximum=sql.Literal(_MAX_PARTS),
    )


def _deleted(cursor: psycopg.Cursor, context: Context) -> Iterator[DryRunRecord]:
    """Yield the first records that would be deleted, with their values."""
    staging, action = context.staging, context.spec.action
    if action is Action.MERGE:
        return
    source: sql.Composable = staging.absent
    row: sql.Composable = sql.SQL("NULL::bigint")
    if action is Action.DELETE:
        delete = sql.Literal(Step.DELETE.value)
        source = sql.SQL("(SELECT * FROM {} WHERE step = {}) AS plan").format(staging.plan, delete)
        row = sql.Identifier("row")
    query = sql.SQL(_DELETED).format(row=row, source=source, maximum=sql.Literal(MAX_RECORDS))
    found = cursor.execute(query).fetchall()
    names = _columns(context.resource, context.resource.columns_by_name)
    stored = _stored(cursor, context.resource, names, [key for _, key in found])
    for number, key in found:
        values = _shown(stored.get(key, {}))
        yield DryRunRecord(
            batch=context.batch, step=Step.DELETE, row=number, key=key, values=values
        )


def _columns(resource: Resource, names: Collection[str]) -> dict[str, str]:
    """Return the names that people see of some columns of the table, by column.

    names: of columns of the table, or of the resource.
    """
    return {
        column_name(each): each.attname
        for each in resource.model._meta.concrete_fields
        if column_name(each) in names or each.attname in names
    }


def _stored(
    cursor: psycopg.Cursor,
    resource: Resource,
    names: Mapping[str, str],
    keys: Sequence[str | None],
) -> dict[str, dict[str, Any]]:
    """Return the stored values of records by their keys. names: as `_columns` returns them."""
    if not (keys and names):
        return {}
    table = Table(resource.model)
    cursor.execute(
        sql.SQL(_STORED).format(
            key=sql.Identifier(table.key),
            columns=sql.SQL(", ").join(sql.Identifier("record", each) for each in names),
            table=table.name,
            keys=sql.Literal(list(keys)),
            type=table.key_type,
        )
    )
    return {
        key: {name: stored[column] for column, name in names.items()}
        for key, stored in cursor.fetchall()
    }


def _shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values; of a long one, the beginning of its text, marked as cut."""
    return {name: _cut_value(value) for name, value in values.items()}


def _cut_value(value: Any) -> Any:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text) <= MAX_CHARACTERS:
        return value
    return f"{text[:MAX_CHARACTERS]}… ({len(text):,} characters)"
