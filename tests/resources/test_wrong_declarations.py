"""Wrong values of every attribute: checks report the attribute and the fix, and none raises.

A declaration that the checks accept can be used.
"""

import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, get_type_hints

import pytest
from django.core.checks import ERROR, CheckMessage
from django.db.models import Model

from batches.targets import Targets, refusal_of
from exports.request.parser import parse_export
from exports.sql.compiler import compile_export
from longshore.api.routers import OptionalSlashRouter
from longshore.domains.logistics.models import Contact
from longshore.domains.logistics.models.base import Record
from longshore.resources.api.views import record_viewset
from longshore.resources.checks import check_resource
from longshore.resources.columns import Column, ColumnType
from longshore.resources.export_type_checks import check_export_types
from longshore.resources.export_types import ExportType, export_types
from longshore.resources.filters import parse_options
from longshore.resources.named_filters import NamedFilter
from longshore.resources.registry import Registry, Resource
from longshore.resources.relations import Relation
from longshore.resources.timezones import UTC
from longshore.resources.writing import Rule

# Values that are wrong for most attributes: no name, no field, no path, no SQL, of another meaning.
TEXTS = ("", " ", "a b", "a/b", "a.b", ".*", "{", "\0", "a" * 200, "nope", "__")
NAMES = ("id", "limit", "organization_id", "groups", "contactgroup", "contactgroup_set")
OBJECTS: tuple[Any, ...] = (None, ..., 5, b"name", [], object(), Contact, Model, Record)
VALUES = [*TEXTS, *NAMES, *OBJECTS]

# A valid declaration of each class, of which one attribute is replaced.
RESOURCE: dict[str, Any] = {"name": "wrong", "plural": "wrongs", "model": Contact}
NESTED: dict[Any, tuple[str, dict[str, Any]]] = {
    Relation: ("relations", {"name": "groups"}),
    Column: ("columns", {"name": "x", "kind": ColumnType.DECIMAL, "expression": "1.0"}),
    NamedFilter: ("filters", {"name": "x", "description": "", "expression": "true"}),
    Rule: ("rules", {"condition": "true", "message": "No."}),
}
NAMED_EXPORT: dict[str, Any] = {
    **{"code": "wrong", "name": "Wrong", "resource": "contact", "columns": {"id": "Id"}},
    **{"date": None, "order_by": "id"},
}


def values(cls: Any, name: str) -> list[Any]:
    """Return the wrong values of an attribute; also in tuples, if it is one."""
    is_collection = any(each in str(get_type_hints(cls)[name]) for each in ("tuple", "frozenset"))
    in_tuples = [(each,) for each in VALUES if isinstance(each, str | None)]
    return [*VALUES, *(in_tuples if is_collection else [])]


def resources() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the attribute of a resource, an attribute inside of it, and the declaration."""
    for field in fields(Resource):
        for value in values(Resource, field.name):
            yield field.name, field.name, RESOURCE | {field.name: value}
    for cls, (attribute, valid) in NESTED.items():
        for field in fields(cls):
            for value in values(cls, field.name):
                nested = cls(**valid | {field.name: value})
                yield attribute, field.name, RESOURCE | {attribute: (nested,)}


def use(resource: Resource) -> None:
    """Do with a resource what requests do before they reach the database."""
    compile_export(parse_export({"resource": resource.name, "format": "json"}), "org_1")
    for name in (*resource.filterable_columns, *resource.filters_by_name):
        parse_options(resource, {name: "is_not_null"}, UTC)
    router = OptionalSlashRouter()
    router.register(resource.plural, record_viewset(resource), "record")
    assert all(url.pattern.regex for url in router.urls)
    if refusal_of(resource) is None:
        targets = Targets(resource)
        assert all(targets.find(name) for name in targets.names)
    str(Targets(resource).parts)


def is_reported(message: CheckMessage, attribute: str, name: str) -> bool:
    """Return whether a message has an id, the attribute, and the fix as a hint.

    The message of a wrong type says what the attribute must be.
    """
    word = attribute.removesuffix("s").replace("_", "[_ ]")
    return (
        re.match(r"longshore_resources\.[EWI]\d{3}\Z", message.id or "") is not None
        and bool(re.search(rf"\b({word}s?|{name})\b", message.msg))
        and bool(message.hint or f"{name} must be" in message.msg)
    )


@pytest.mark.slow
def test_wrong_values_of_a_resource_are_reported_with_attribute_and_fix(
    own_registry: Registry,
) -> None:
    failed = []
    for attribute, name, given in resources():
        resource = Resource(**given)
        own_registry.register(resource)
        messages = [*check_resource(resource)]
        if any(each.level >= ERROR for each in messages):
            failed += [
                (given, str(each)) for each in messages if not is_reported(each, attribute, name)
            ]
        else:
            use(resource)
        if resource.name == "wrong" and own_registry.get("wrong"):
            own_registry.unregister("wrong")
    assert failed == []


@pytest.mark.slow
def test_wrong_values_of_a_named_export_are_reported_with_attribute_and_fix(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed = []
    for field in fields(ExportType):
        given = [*VALUES, *({each: "x"} for each in TEXTS), *({"id": each} for each in VALUES)]
        for value in given:
            monkeypatch.setattr(export_types, "declared", [])
            monkeypatch.setattr(export_types, "unusable", [])
            export_types.register(ExportType(**NAMED_EXPORT | {field.name: value}))
            messages = check_export_types()
            failed += [
                (field.name, value, str(each))
                for each in messages
                if not is_reported(each, field.name, field.name)
            ]
            if not messages:
                compile_export(parse_export({"type": export_types.codes()[0]}), "org_1")
    assert failed == []
