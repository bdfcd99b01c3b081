"""Records with values that are hard to read back, and the way of a file from export to batch."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count, cycle, islice
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Model

from batches.execution import runner
from batches.lifecycle.creation import create, store
from batches.models import Batch, BatchError, Via
from batches.request.parser import parse_batch
from batches.targets import Targets
from exports.reading.stream import ExportStream
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from longshore.resources.registry import Resource
from longshore.resources.relations import Relation
from tests.records import a_record

ROWS = 3
TEXTS = (
    'A "quoted", text\nof two lines; with | and \t',
    "=SUM(A1:A9)",
    "  Zażółć gęślą jaźń 🚚  ",
    "x; =1+1, ;'y",
    "007",
    "O'Brien, \r\nthe \\N null",
    "+1 (212) 555-0100",
    "-Minus & Sons, «x» 山田",
    "true",
    "1e5",
    "{}",
    "[1, 2]",
    "'quoted'",
    '"',
    "@home | ;+cmd|' /C calc'!A0",
    "null",
)
OBJECTS: tuple[Any, ...] = (
    {"a": "x, y", "b": [{"c": "1"}, {"c": "2", "d": {}}], "e.f": "", "g": [], "=h": "@i(1)"},
    {"deep": {"er": {"list": [["a"], ["b, c"]]}}, "0": "zero", "text\\": 'a "b"\n', "Ü": "é"},
    {},
)
LISTS: tuple[Any, ...] = (
    [{"x": "1", "y": {"z": "a,b"}}, {"x": "=2"}],
    ["plain", "with, comma", 'and "quote"', "=f(x)"],
    [],
)
ARRAYS: tuple[Any, ...] = (["a, b", 'c"d', "e", ""], ["=1+1", " @x "], [])
MOMENT = datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=UTC)
_numbers = count(1)


class Records:
    """Records of one resource with values of every kind.

    has_own: whether records refer to others of their resource.
    is_many: whether to-many relations have several records.
    """

    def __init__(
        self,
        resource: Resource,
        organization: Organization,
        *,
        has_own: bool = True,
        is_many: bool = True,
    ) -> None:
        self.resource, self.organization = resource, organization
        self.model: type[Model] = resource.model
        self._has_own, self._is_many = has_own, is_many
        self._texts = cycle(TEXTS)
        self._unique = unique_fields(self.model)
        for number in range(ROWS):
            values = {field.name: self._value(field, number) for field in self._fields()}
            record = a_record(self.model, organization, **values)
            for position, relation in enumerate(self._many()):
                self._link(record, relation, number, position)
        self._stored = list(self.all().values())
        self._links = [
            (record, relation.name, list(getattr(record, relation.name).all()))
            for record in self.all()
            for relation in self._many()
        ]

    def change(self) -> None:
        """Change every writable column and relation of every record."""
        for record in self.all():
            # `save` changes columns that depend on others, such as amounts.
            values = {field.attname: self._other(field, record) for field in self._fields()}
            self.model._default_manager.filter(pk=record.pk).update(**values)
            for relation in self._many():
                getattr(record, relation.name).set([self._related(relation.target)])

    def fill(self) -> None:
        """Replace what a workbook does not keep: empty texts, and microseconds."""
        self._stored = [_filled(stored) for stored in self._stored]
        self.restore()

    def restore(self) -> None:
        """Undo `change`."""
        for stored in self._stored:
            self.all().filter(pk=stored[self.model._meta.pk.attname]).update(
                **{
                    field.attname: stored[field.attname]
                    for field in self.model._meta.concrete_fields
                    if not field.generated
                }
            )
        for record, name, related in self._links:
            getattr(record, name).set(related)

    def delete(self) -> None:
        self.all().delete()

    def all(self) -> Any:
        return self.model._default_manager.filter(organization=self.organization)

    def versions(self) -> list[Any]:
        """Return the keys of all records with the times of their last changes."""
        return sorted(self.all().values_list("pk", "updated_at"))

    @property
    def _own(self) -> Any:
        """A record to which others refer; it exists before them."""
        return self.all().order_by("pk").first()

    def _fields(self) -> Iterator[Any]:
        """Yield the fields of the writable columns that no check constraint restricts."""
        writable = [each.field for each in self.resource.writable_columns.values()]
        relations = Targets(self.resource).relations.values()
        names = dict.fromkeys([*writable, *(each.name for each in relations if not each.many)])
        checked = " ".join(str(getattr(c, "condition", "")) for c in self.model._meta.constraints)
        for name in names:
            field: Any = self.model._meta.get_field(name or "")
            is_own = field.related_model is self.model
            if f"{name}" not in checked and (self._has_own or not is_own):
                yield field

    def _many(self) -> list[Relation]:
        return [each for each in Targets(self.resource).relations.values() if each.many]

    def _link(self, record: Any, relation: Relation, number: int, position: int) -> None:
        size = (2, 0, 1)[number] if self._is_many else int(number == position)
        related = [self._related(relation.target) for _ in range(size)]
        getattr(record, relation.name).set(related)

    def _related(self, model: type[Model]) -> Any:
        values = {}
        for name in ("name", "email", "code", "number", "tracking_number"):
            if name in {field.name for field in model._meta.fields}:
                values[name] = f'Dock "{next(_numbers)}", {name}'
        return a_record(model, self.organization, **values)

    def _value(self, field: Any, number: int) -> Any:
        if field.many_to_one and field.related_model is self.model:
            return self._own if number else None
        if field.many_to_one:
            return None if field.null and number == 1 else self._related(field.related_model)
        if field.null and number == 1 and field.name not in self.resource.required:
            return None
        if field.choices:
            return field.choices[number % len(field.choices)][0]
        match field:
            case models.CharField():
                return "EUR"[: field.max_length]
            case models.TextField():
                text = next(self._texts)
                if field.name in self._unique:
                    return f"{text} {next(_numbers)}"
                return "" if field.blank and number == 2 and next(_numbers) % 3 == 0 else text
            case models.BooleanField():
                return number % 2 == 0
            case models.DecimalField():
                return [Decimal("12.5"), None, Decimal("0.1")][number] or 0
            case models.FloatField():
                return [0.1, 1e-7, 52.520008][number]
            case models.IntegerField():
                return [7, 0, 12][number]
            case models.DateTimeField():
                return MOMENT - timedelta(days=200 * number)
            case ArrayField():
                return ARRAYS[number]
            case models.JSONField():
                is_list = field.has_default() and field.get_default() == []
                value = (LISTS if is_list else OBJECTS)[number]
                return value or (None if field.null else value)
            case _:
                raise TypeError(field)

    def _other(self, field: Any, record: Any) -> Any:
        """Return another value than the record has."""
        value = getattr(record, field.attname)
        if field.many_to_one:
            if field.null and value is not None:
                return None
            if field.related_model is self.model:
                return self.all().exclude(pk=record.pk).first().pk
            return self._related(field.related_model).pk
        if field.choices:
            return next(choice for choice, _ in field.choices if choice != value)
        match field:
            case models.CharField():
                return "GBP"[: field.max_length]
            case models.TextField():
                return f"other {next(_numbers)}"
            case models.BooleanField():
                return not value
            case models.DecimalField() | models.FloatField() | models.IntegerField():
                return (value or 0) + 1
            case models.DateTimeField():
                return datetime(2001, 1, 1, tzinfo=UTC)
            case ArrayField():
                return ["other"]
            case _:
                return ["other"] if isinstance(value, list) else {"other": 1}


def _filled(value: Any) -> Any:
    """Return a value as a workbook can keep it."""
    match value:
        case datetime():
            return value.replace(microsecond=value.microsecond // 1000 * 1000)
        case "":
            return "filled"
        case dict():
            return {key: _filled(each) for key, each in value.items()}
        case list():
            return [_filled(each) for each in value]
        case _:
            return value


def unique_fields(model: type[Model]) -> set[str]:
    """Return the names of the fields of unique constraints."""
    found = {field.name for field in model._meta.concrete_fields if field.unique}
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint):
            found.update(constraint.fields)
    return found


def exported(
    resource: Resource, organization: Organization, file_format: str = "csv", **request: Any
) -> bytes:
    """Return the file of an export of all columns, in the order of the records' creation.

    request: of the export; names of `csv_field_options` too.
    """
    top = ("compression", "dry_data", "includes", "fields")
    if not {"columns", *top[1:]} & {*request}:
        request["columns"] = "all"
    body = {
        "resource": resource.name,
        "format": file_format,
        "options": {"order_by": "created_at"},
        **{name: request.pop(name) for name in top if name in request},
        "csv_field_options": request,
    }
    return b"".join(ExportStream(parse_export(body), organization.pk))


def run_batch(
    resource: Resource, organization: Organization, content: bytes, **request: Any
) -> Batch:
    """Run a file as a batch in this process; return the ended batch."""
    body = {"resource": resource.name, "mode": "sync", **request}
    spec = parse_batch(body, organization, has_file=True).spec
    source = store(organization, "", Via.FILE, blocks(content))
    batch, _ = create(organization, None, body, spec, source)
    runner.run_claimed(batch)
    batch.refresh_from_db()
    return batch


def blocks(content: bytes) -> Iterable[bytes]:
    return (content[start : start + 4096] for start in range(0, len(content), 4096))


def outcome(batch: Batch) -> dict[str, Any]:
    """Return what became of the rows, with the first errors."""
    names = ("created", "updated", "unchanged", "failed")
    counts = {name: getattr(batch, f"{name}_count") for name in names}
    found = {name: number for name, number in counts.items() if number}
    errors = BatchError.objects.filter(batch=batch)
    if shown := [(e.row, e.column, e.code, e.value, e.message) for e in islice(errors, 5)]:
        found["errors"] = shown
    if batch.error:
        found["error"] = batch.error
    return found
