"""References to records of other organizations, for every relation that a batch can set."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models import ForeignKey

from batches.targets import Targets
from batches.validation.conversion import CellForm
from longshore.accounts.models import Organization
from longshore.resources.registry import Resource, registry
from longshore.resources.relations import Relation
from tests.batches.staged import stage
from tests.records import a_record

_WRITABLE = [each for each in registry if each.writable_columns and each.writable != ()]


def _references(resource: Resource) -> Iterator[tuple[str, Relation]]:
    """Yield the header of each reference that a batch can set, with the relation."""
    targets = Targets(resource)
    for name in resource.writable_columns:
        field = resource.model._meta.get_field(name)
        if isinstance(field, ForeignKey):
            declared = resource.relations_by_name.get(field.name)
            yield name, declared or Relation.undeclared(resource.model, field.name)
    for name, relation in targets.relations.items():
        yield name, relation
        for by in targets.identifying_fields(relation):
            yield f"{name}.{by}", relation
        if relation.many:
            yield f"{name}.0.{relation.key}", relation


def _value(record: Any, header: str, relation: Relation) -> str:
    """Return the text by which a header names a record."""
    *_, name = header.split(".")
    if "." not in header:
        name = relation.key if header.endswith("_id") else relation.label
    if getattr(record, name) is None:
        setattr(record, name, f"{name} of {record.pk}")
        record.save()
    return str(getattr(record, name))


def _sentence(message: str, text: str) -> str:
    return message.replace(text, "…")


@pytest.mark.slow
@pytest.mark.parametrize("resource", [pytest.param(each, id=each.name) for each in _WRITABLE])
def test_foreign_records_are_not_found(
    acme: Organization, globex: Organization, resource: Resource
) -> None:
    header = ["id", *resource.required]
    cells: list[str | None] = [None, *("1" for _ in resource.required)]
    names, texts = [], []
    for name, relation in _references(resource):
        foreign, own = a_record(relation.target, globex), a_record(relation.target, acme)
        hidden, visible = (_value(each, name, relation) for each in (foreign, own))
        if hidden != visible:  # Some labels are choices, which records of both have.
            names.append(name)
            texts.append((hidden, "unknown", visible))
    rows = [
        [*cells, *(text if other == name else None for other in names)]
        for name, row in zip(names, texts, strict=True)
        for text in row
    ]
    attempt = stage(acme, resource, [*header, *names], rows)
    found = {
        (row, column): message
        for row, column, code, message in attempt.errors
        if code == "not_found"
    }
    places = {(number, names[(number - 1) // 3]) for number in range(1, len(rows) + 1)}
    assert set(found) == {(number, name) for number, name in places if number % 3}
    for position, (name, row) in enumerate(zip(names, texts, strict=True)):
        first, second = (found[3 * position + offset, name] for offset in (1, 2))
        assert _sentence(first, row[0]) == _sentence(second, row[1])


@pytest.mark.slow
@pytest.mark.parametrize("resource", [pytest.param(each, id=each.name) for each in _WRITABLE])
def test_foreign_records_in_json_are_not_found(
    acme: Organization, globex: Organization, resource: Resource
) -> None:
    header = ["id", *resource.required]
    cells: list[str | None] = [None, *("1" for _ in resource.required)]
    relations = Targets(resource).relations
    rows = []
    for name, relation in relations.items():
        for organization in (globex, acme):
            record: Any = {"id": str(a_record(relation.target, organization).pk)}
            value = json.dumps([record] if relation.many else record)
            rows.append([*cells, *(value if other == name else None for other in relations)])
    attempt = stage(acme, resource, [*header, *relations], rows, form=CellForm.JSON)
    found = {error[:2] for error in attempt.errors if error[2] == "not_found"}
    assert found == {(2 * position + 1, name) for position, name in enumerate(relations)}


@pytest.mark.slow
@pytest.mark.parametrize("resource", [pytest.param(each, id=each.name) for each in _WRITABLE])
def test_a_foreign_id_is_not_found(
    acme: Organization, globex: Organization, resource: Resource
) -> None:
    foreign = a_record(resource.model, globex)
    names = ["id", *resource.required]
    cells = ["1" for _ in resource.required]
    attempt = stage(acme, resource, names, [[foreign.pk, *cells], ["unknown", *cells]])
    assert [(error[0], error[2]) for error in attempt.errors] == [
        (1, "not_found"),
        (2, "not_found"),
    ]
    first, second = (message for *_, message in attempt.errors)
    assert first.replace(str(foreign.pk), "…") == second.replace("unknown", "…")
    assert attempt.plan() == []
