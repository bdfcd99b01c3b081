"""System checks of resources and named exports: report wrong declarations at start-up."""

import re
from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import FieldDoesNotExist
from django.db import connection
from django.db.models import DateField, JSONField, ManyToOneRel, Model
from django.urls import NoReverseMatch, resolve, reverse

from longshore.accounts.models import Organization
from longshore.resources.columns import ColumnType
from longshore.resources.conditions import SEARCH
from longshore.resources.disclosure import (
    check_related_fields,
    check_related_rows,
    check_secrets,
    check_shown_rows,
    problem,
)
from longshore.resources.export_types import ExportType, export_types
from longshore.resources.filters import DIRECTION, LIMIT, ORDER_BY, parse_options
from longshore.resources.registry import MAX_INCLUDE_DEPTH, Resource, registry
from longshore.resources.relations import JOINED, Relation
from longshore.resources.timezones import UTC

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


@register
def check_resources(**_: Any) -> list[CheckMessage]:
    """Return the problems of all declared resources."""
    problems: list[CheckMessage] = []
    names: dict[str, Resource] = {}
    for resource in registry.declared:
        for name in (resource.name, resource.plural):
            if names.setdefault(name, resource) is not resource:
                problems.append(
                    problem(
                        resource,
                        f"{names[name].model._meta.label} already has the name {name!r}",
                        "longshore_resources.E001",
                    )
                )
        problems.extend(check_resource(resource))
    return problems


@register
def check_export_types(**_: Any) -> list[CheckMessage]:
    """Return the problems of all declared named exports."""
    problems: list[CheckMessage] = []
    codes = export_types.codes()
    for export_type in export_types.declared:
        texts = list(_export_type_problems(export_type))
        if codes.count(export_type.code) > 1:
            texts.append("another named export has the code")
        text = f"Named export {export_type.code!r}: "
        problems += [Error(f"{text}{each}.", id="longshore_resources.E015") for each in texts]
    return problems


def _export_type_problems(export_type: ExportType) -> Iterator[str]:
    resource = registry.get(export_type.resource)
    if resource is None:
        yield f"{export_type.resource!r} is not a resource"
        return
    for path in export_type.columns:
        if not resource.has_path(path):
            yield f"{resource.name} has no column {path!r}"
    if not export_type.columns:
        yield "columns is empty"
    headers = list(export_type.columns.values())
    for header in sorted({header for header in headers if headers.count(header) > 1}):
        yield f"two columns have the header {header!r}"
    options = {**export_type.options, ORDER_BY: export_type.order_by}
    ranged = {export_type.date: "gte:2024-01-01"}
    for given in (options, ranged):
        for wrong in parse_options(resource, given, UTC)[1]:
            yield f"{wrong.field}: {wrong.message}"


def check_resource(resource: Resource) -> Iterator[CheckMessage]:
    """Yield the problems of one resource."""
    for attribute in ("name", "plural"):
        value = getattr(resource, attribute)
        if not _NAME.match(value):
            text = f"{attribute} {value!r} must be lower-case letters, digits and underscores"
            yield problem(resource, text, "longshore_resources.E002")
    yield from _check_list_path(resource)
    yield from _check_table(resource)
    yield from _check_organization(resource)
    yield from _check_fields(resource)
    yield from check_shown_rows(resource)
    yield from check_secrets(resource)
    for relation in resource.relations:
        yield from _check_relation(resource, relation)
    yield from _check_includes(resource)
    yield from _check_writable_relations(resource)
    yield from _check_filters(resource)
    names = [column.name for column in resource.columns] + [r.name for r in resource.relations]
    ids = [f"{relation.singular}_id" for relation in resource.relations if relation.singular]
    fields = resource.model._meta.concrete_fields
    visible = [each for each in fields if not resource.hidden_fields & {each.name, each.attname}]
    columns = {model_field.attname for model_field in visible}
    names += ids + [name for name in ids if name in columns]
    filters = list(resource.filters_by_name)
    names += [each.name for each in resource.filters]
    names += [name for name in filters if name in columns - resource.hidden]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield problem(resource, f"{name!r} is declared twice", "longshore_resources.E008")
    options = [LIMIT, ORDER_BY, DIRECTION, *([SEARCH] if resource.search else [])]
    for name in options:
        if name in names or name in columns:
            text = f"{name!r} is an option of every request and cannot be the name of a filter"
            yield problem(resource, text, "longshore_resources.E012")


def _check_table(resource: Resource) -> Iterator[CheckMessage]:
    table = resource.model._meta.db_table
    for field in resource.model._meta.concrete_fields:
        if field.model._meta.db_table != table:
            text = f"{field.name!r} is a column of the parent model {field.model.__name__}'s table"
            yield problem(resource, text, "longshore_resources.E010")
        is_visible = not resource.hidden_fields & {field.name, field.attname}
        if is_visible and isinstance(field, JSONField) and field.db_type(connection) == "json":
            text = f"{field.name!r} has the type json, which cannot be compared; use jsonb"
            yield problem(resource, text, "longshore_resources.E011")


def _check_list_path(resource: Resource) -> Iterator[CheckMessage]:
    try:
        path = reverse(f"record-{resource.name}-list")
    except NoReverseMatch:  # The project serves no lists.
        return
    view = getattr(resolve(path).func, "cls", None)
    if not hasattr(view, "resource"):
        text = f"plural {resource.plural!r}: the API already uses the path {path}"
        yield problem(resource, text, "longshore_resources.E009")


def _check_organization(resource: Resource) -> Iterator[CheckMessage]:
    model: type[Model] = resource.model
    for step in resource.organization.split("__"):
        field = _field(model, step)
        if field is None or not field.is_relation or field.many_to_many or field.one_to_many:
            text = f"organization {resource.organization!r}: {step!r} is not a foreign key of "
            yield problem(resource, text + model.__name__, "longshore_resources.E003")
            return
        model = field.related_model
    if model is not Organization:
        text = f"organization {resource.organization!r} leads to {model.__name__}"
        yield problem(resource, text + ", not to Organization", "longshore_resources.E004")


def _check_fields(resource: Resource) -> Iterator[CheckMessage]:
    if not isinstance(_field(resource.model, resource.date_field), DateField):
        text = f"date_field {resource.date_field!r} is not a date or datetime field"
        yield problem(resource, text, "longshore_resources.E005")
    elif resource.date_field in resource.hidden:
        text = f"date_field {resource.date_field!r} is hidden"
        yield problem(resource, text, "longshore_resources.E005")
    named = [("key", name) for name in resource.key]
    named += [("search", resource.search)] if resource.search else []
    missing = [(attribute, name) for attribute, name in named if not _field(resource.model, name)]
    for attribute, name in missing:
        text = f"{attribute} {name!r} is not a field of {resource.model.__name__}"
        yield problem(resource, text, "longshore_resources.E006")
    if not missing and not _is_unique(resource):
        text = f"key {', '.join(resource.key)} is not unique within an organization"
        yield problem(resource, text, "longshore_resources.E016")
    unwritable = set(resource.writable or ())
    if unwritable:
        unwritable -= set(resource.writable_columns)
    for name in sorted(unwritable):
        text = f"writable {name!r} is not a column of an editable field"
        yield problem(resource, text, "longshore_resources.E014")
    for name in sorted(resource.hidden):
        if _field(resource.model, name) is None:
            yield problem(resource, f"hidden {name!r} is not a field", "longshore_resources.E006")


def _is_unique(resource: Resource) -> bool:
    """Return whether the database guarantees that the key is unique within an organization."""
    options = resource.model._meta
    if not options.managed:  # A view has no constraints of its own.
        return True
    known = {options.get_field(name).name for name in resource.key} | {resource.organization}
    unique = [{field.name} for field in options.concrete_fields if field.unique]
    unique += [set(constraint.fields) for constraint in options.total_unique_constraints]
    unique += [set(fields) for fields in options.unique_together]
    return any(fields and fields <= known for fields in unique)


def _check_relation(resource: Resource, relation: Relation) -> Iterator[CheckMessage]:
    field = _field(resource.model, relation.name)
    if not isinstance(field, JOINED):
        text = f"relation {relation.name!r} is not a relation of {resource.model.__name__}"
        yield problem(resource, text, "longshore_resources.E007")
        return
    for name in (relation.label, *relation.fields):
        if not any(name in (f.name, f.attname) for f in field.related_model._meta.concrete_fields):
            text = f"relation {relation.name!r}: {field.related_model.__name__} has no {name!r}"
            yield problem(resource, text, "longshore_resources.E007")
    yield from check_related_rows(resource, relation.bind(resource.model))
    yield from check_related_fields(resource, relation.bind(resource.model))


def _check_includes(resource: Resource) -> Iterator[CheckMessage]:
    for path in resource.includes:
        text = f"include {path!r}: "
        steps = path.split(".")
        if len(steps) > MAX_INCLUDE_DEPTH:
            text += f"{len(steps)} steps; the maximum is {MAX_INCLUDE_DEPTH}"
            yield problem(resource, text, "longshore_resources.E013")
        parent: Resource | None = resource
        for step in steps:
            if parent is None:
                yield problem(
                    resource,
                    f"{text}the record before {step!r} has no resource",
                    "longshore_resources.E013",
                )
                break
            try:
                _, related = parent.related(step)
            except LookupError as error:
                yield problem(resource, f"{text}{error}", "longshore_resources.E013")
                break
            if step in parent.columns_by_name:
                text += f"{step!r} is also a column of {parent.name}"
                yield problem(resource, text, "longshore_resources.E013")
            parent = related
    for path in sorted({path for path in resource.includes if resource.includes.count(path) > 1}):
        yield problem(resource, f"include {path!r} is declared twice", "longshore_resources.E013")


def _check_writable_relations(resource: Resource) -> Iterator[CheckMessage]:
    for name in resource.writable_relations:
        field, text = _field(resource.model, name), f"writable relation {name!r} "
        if not isinstance(field, JOINED):
            text += f"is not a relation of {resource.model.__name__}"
            yield problem(resource, text, "longshore_resources.E023")
        elif isinstance(field, ManyToOneRel) and not (
            field.remote_field.target_field.primary_key
            and field.related_model._meta.db_table != resource.model._meta.db_table
        ):
            text += "must be of another model, and refer to the primary key"
            yield problem(resource, text, "longshore_resources.E023")


def _check_filters(resource: Resource) -> Iterator[CheckMessage]:
    for named in resource.filters:
        text = f"filter {named.name!r}: "
        if bool(named.paths) == bool(named.expression):
            text += "declare either paths or an expression"
            yield problem(resource, text, "longshore_resources.E022")
        if named.inclusive and (named.paths or named.kind is not ColumnType.BOOLEAN):
            text += "inclusive needs a boolean expression"
            yield problem(resource, text, "longshore_resources.E022")
        for path in named.paths:
            _, problems = parse_options(resource, {path: "is_not_null"}, UTC)
            for wrong in problems:
                yield problem(resource, text + wrong.message, "longshore_resources.E022")


def _field(model: type[Model], name: str) -> Any:
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
