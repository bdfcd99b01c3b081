"""What a dry run would change, as tables: new records, old and new values, deleted records."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from batches.execution.dry_runs import MAX_RECORDS
from batches.models import Batch, DryRunRecord
from batches.staging import Step

# Columns of a table of records; further ones are counted.
_MAX_COLUMNS = 12
# Fields of one changed record.
_MAX_FIELDS = 40


@dataclass(frozen=True)
class RecordTable:
    """New or deleted records. rows: the number of the row, or the key, and the cells."""

    title: str
    kind: str
    total: int
    headers: list[str]
    rows: list[tuple[str, list[str | None]]]
    other_columns: int

    @property
    def is_cut(self) -> bool:
        return self.total > len(self.rows)


@dataclass(frozen=True)
class ChangedRecord:
    """A record that would be updated. fields: name, old value and new value."""

    row: int
    key: str
    fields: list[tuple[str, str | None, str | None]]
    other_fields: int


@dataclass(frozen=True)
class Changes:
    """The changes that a dry run has kept: at most `MAX_RECORDS` of each kind."""

    created: RecordTable
    changed: list[ChangedRecord]
    changed_total: int
    deleted: RecordTable
    maximum: int = MAX_RECORDS


def changes_of(batch: Batch) -> Changes:
    """Return what a dry run has found."""
    found: dict[str, list[DryRunRecord]] = {step: [] for step in Step}
    kept = DryRunRecord.objects.filter(batch=batch).exclude(step=Step.REFUSED)
    for each in kept.order_by("pk"):
        found[each.step].append(each)
    return Changes(
        created=_table("New records", "created", batch.created_count, found[Step.CREATE]),
        changed=[_changed(each) for each in found[Step.UPDATE]],
        changed_total=batch.updated_count,
        deleted=_table("Deleted records", "deleted", batch.deleted_count, found[Step.DELETE]),
    )


def _table(title: str, kind: str, total: int, records: Iterable[DryRunRecord]) -> RecordTable:
    records = list(records)
    used = {
        name: None for each in records for name, value in each.values.items() if value is not None
    }
    names = list(used)
    shown = names[:_MAX_COLUMNS]
    rows = [(_label(each), [_text(each.values.get(name)) for name in shown]) for each in records]
    return RecordTable(title, kind, total, shown, rows, len(names) - len(shown))


def _label(record: DryRunRecord) -> str:
    return f"Row {record.row:,}" if record.row is not None else record.key or ""


def _changed(record: DryRunRecord) -> ChangedRecord:
    before = record.before or {}
    fields = [
        (name, _text(before.get(name)), _text(value)) for name, value in record.values.items()
    ]
    others = len(fields) - _MAX_FIELDS
    return ChangedRecord(record.row or 0, record.key or "", fields[:_MAX_FIELDS], max(0, others))


def _text(value: Any) -> str | None:
    """Return a value as people read it; None for null."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)
