"""System checks of resources and named exports: report wrong declarations at start-up."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.core.checks import ERROR, CheckMessage, Error, register
from django.urls import NoReverseMatch, Resolver404, get_script_prefix, resolve, reverse
from psycopg import sql

from longshore.resources.columns import ColumnType, find_field, has_column, has_composite_key
from longshore.resources.conditions import SEARCH
from longshore.resources.declared_types import wrong_types
from longshore.resources.disclosure import (
    check_related_fields,
    check_related_rows,
    check_secrets,
    check_shown_rows,
    problem,
)
from longshore.resources.export_types import ExportType, export_types
from longshore.resources.filters import DIRECTION, LIMIT, ORDER_BY, parse_options
from longshore.resources.model_checks import (
    accessor_hint,
    check_date,
    check_lengths,
    check_model,
    check_names,
    check_organization,
    check_readers,
    check_table,
    composite_key,
)
from longshore.resources.registry import MAX_INCLUDE_DEPTH, Resource, registry
from longshore.resources.relations import JOINED, Relation
from longshore.resources.timezones import UTC
from longshore.resources.write_checks import check_written

TYPE = "longshore_resources.E028"
_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


@register
def check_resources(**_: Any) -> list[CheckMessage]:
    """Return the problems of all declared resources."""
    problems: list[CheckMessage] = []
    names: dict[str, Resource] = {}
    for resource in registry.declared:
        if any(wrong_types(resource)):
            problems.extend(check_resource(resource))
            continue
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
    for export_type in (*export_types.declared, *export_types.unusable):
        try:
            texts = dict(_export_type_problems(export_type))
        except Exception as error:
            texts = {f"the declaration cannot be checked: {type(error).__name__}: {error}": None}
        if codes.count(export_type.code) > 1:
            texts["another named export has the code"] = None
        text = f"Named export {export_type.code!r}: "
        problems += [
            Error(f"{text}{each}.", hint, id="longshore_resources.E015")
            for each, hint in texts.items()
        ]
    return problems


def _export_type_problems(export_type: ExportType) -> Iterator[tuple[str, str | None]]:
    """Yield the problems of a named export, each with a hint."""
    if mistyped := [(each.text, each.hint) for each in wrong_types(export_type)]:
        yield from mistyped
        return
    resource = registry.get(export_type.resource)
    if resource is None:
        yield f"{export_type.resource!r} is not a resource", None
        return
    if any(map(_is_error, check_resource(resource))):
        return  # Correct the resource first.
    for path in export_type.columns:
        if not resource.has_path(path):
            yield f"{resource.name} has no column {path!r}", _hint(resource, path)
    if not export_type.columns:
        yield "columns is empty", None
    headers = list(export_type.columns.values())
    for header in sorted({header for header in headers if headers.count(header) > 1}):
        yield f"two columns have the header {header!r}", None
    options = {**export_type.options, ORDER_BY: export_type.order_by}
    ranged = {} if export_type.date is None else {export_type.date: "gte:2024-01-01"}
    for given in (options, ranged):
        for wrong in parse_options(resource, given, UTC)[1]:
            path = wrong.field.removeprefix("options.")
            yield f"{wrong.field}: {wrong.message.rstrip('.')}", _hint(resource, path)


def _hint(resource: Resource, path: str) -> str | None:
    """Return how to make the field of a related record known, if a path names one."""
    head, _, name = path.partition(".")
    relation = resource.relations_by_name.get(head)
    if relation is None or not has_column(relation.target, name):
        return None
    return f"Add {name!r} to fields of the relation {head!r} of the resource {resource.name!r}."


def _is_error(message: CheckMessage) -> bool:
    return message.level >= ERROR


def check_resource(resource: Resource) -> Iterator[CheckMessage]:
    """Yield the problems of one resource. Catches the errors of checks."""
    wrong = [problem(resource, each.text, TYPE, each.hint) for each in wrong_types(resource)]
    yield from wrong or _check_values(resource)


def _check_values(resource: Resource) -> Iterator[CheckMessage]:
    """Check a resource whose attributes have the right types."""
    names = [*_guarded("name, plural", _check_address, resource)]
    of_model = [*_guarded("model", check_model, resource)]
    yield from (*names, *of_model)
    if of_model:
        return
    for attributes, check in _CHECKS.items():
        yield from _guarded(attributes, check, resource)
    of_relations = [*_guarded("relations", _check_relations, resource)]
    yield from of_relations
    yield from _guarded("writable, writable_relations, required", check_written, resource)
    if not of_relations:
        yield from _guarded("default_columns", _check_default_columns, resource)
        yield from _guarded("includes", _check_includes, resource)
        yield from _guarded("filters", _check_filters, resource)
    yield from _guarded("columns, relations, filters", _check_declared_once, resource)


def _guarded(
    attributes: str, check: Callable[[Resource], Iterator[CheckMessage]], resource: Resource
) -> Iterator[CheckMessage]:
    """Yield the messages of a check. An exception becomes an error that names the attributes."""
    try:
        yield from check(resource)
    except Exception as error:
        text = f"{attributes}: the declaration cannot be checked: {type(error).__name__}: {error}"
        hint = "Correct these attributes, or the fields and managers of the model that they name."
        yield problem(resource, text, "longshore_resources.E029", hint)


def _check_address(resource: Resource) -> Iterator[CheckMessage]:
    """Check the names, and the address of the list that has them."""
    wrong = False
    for attribute in ("name", "plural"):
        value = getattr(resource, attribute)
        if not _NAME.match(value):
            wrong = True
            text = f"{attribute} {value!r} must be lower-case letters, digits and underscores"
            yield problem(resource, text, "longshore_resources.E002")
    if wrong:
        return
    try:
        path = reverse(f"record-{resource.name}-list")
        view = getattr(resolve(f"/{path.removeprefix(get_script_prefix())}").func, "cls", None)
    except (NoReverseMatch, Resolver404):  # The project serves no lists.
        return
    if not hasattr(view, "resource"):
        text = f"plural {resource.plural!r}: the API already uses the path {path}"
        yield problem(resource, text, "longshore_resources.E009", "Choose another plural.")


def _check_declared_once(resource: Resource) -> Iterator[CheckMessage]:
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
            hint = "Give it another name."
            if name in columns:
                model = resource.model.__name__
                hint = (
                    f"Give the field another name in requests: hidden=frozenset({{{name!r}}}), "
                    f"columns=(field_column({model}, {name!r}, called={f'{name}_value'!r}),)."
                )
            yield problem(resource, text, "longshore_resources.E012", hint)


def _check_relations(resource: Resource) -> Iterator[CheckMessage]:
    for relation in resource.relations:
        yield from _check_relation(resource, relation)


def _check_relation(resource: Resource, relation: Relation) -> Iterator[CheckMessage]:
    field = find_field(resource.model, relation.name)
    if not isinstance(field, JOINED):
        text = f"relation {relation.name!r} is not a relation of {resource.model.__name__}"
        hint = accessor_hint(resource.model, relation.name)
        if field is not None and getattr(field, "is_relation", False):
            hint = "A generic relation has no column that could be joined."
        yield problem(resource, text, "longshore_resources.E007", hint)
        return
    if has_composite_key(field.related_model):
        yield composite_key(resource, f"relation {relation.name!r}: ", field.related_model)
        return
    for name in (relation.label, *relation.fields):
        if not any(name in (f.name, f.attname) for f in field.related_model._meta.concrete_fields):
            model = field.related_model
            text = f"relation {relation.name!r}: {model.__name__} has no {name!r}"
            fields = ", ".join(each.attname for each in model._meta.concrete_fields)
            hint = f"Set label and fields of the relation to fields of {model.__name__}: {fields}."
            yield problem(resource, text, "longshore_resources.E007", hint)
            return
    yield from check_related_rows(resource, relation.bind(resource.model))
    yield from check_related_fields(resource, relation.bind(resource.model))


def _check_default_columns(resource: Resource) -> Iterator[CheckMessage]:
    for path in resource.default_columns:
        if not resource.has_path(path):
            text = f"default_columns: {resource.name} has no column {path!r}"
            yield problem(resource, text, "longshore_resources.E033", _hint(resource, path))
    for path in sorted(
        {*(each for each in resource.default_columns if resource.default_columns.count(each) > 1)}
    ):
        text = f"default_columns: {path!r} is listed twice"
        yield problem(resource, text, "longshore_resources.E033")


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
                hint = accessor_hint(parent.model, step)
                yield problem(resource, f"{text}{error}", "longshore_resources.E013", hint)
                break
            if step in parent.columns_by_name:
                text += f"{step!r} is also a column of {parent.name}"
                yield problem(resource, text, "longshore_resources.E013")
            parent = related
    for path in sorted({path for path in resource.includes if resource.includes.count(path) > 1}):
        yield problem(resource, f"include {path!r} is declared twice", "longshore_resources.E013")


def _check_expressions(resource: Resource) -> Iterator[CheckMessage]:
    """Check that SQL has no placeholders but `{row}`."""
    templates = [(f"column {each.name!r}", each.expression) for each in resource.columns]
    templates += [(f"filter {each.name!r}", each.expression) for each in resource.filters]
    templates += [(f"rule {each.message!r}", each.condition) for each in resource.rules]
    for name, template in templates:
        try:
            sql.SQL(template).format(row=sql.Identifier("row"))
        except (IndexError, KeyError, ValueError) as error:
            text = f"{name}: the expression {template!r} is not valid: {error!r}"
            hint = "Write {row} for the alias of the row, and every other brace twice."
            yield problem(resource, text, "longshore_resources.E026", hint)


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
                yield problem(
                    resource, text + wrong.message.rstrip("."), "longshore_resources.E022"
                )


# The checks of attributes that do not need each other, by the attributes.
_CHECKS: Mapping[str, Callable[[Resource], Iterator[CheckMessage]]] = {
    "model": check_table,
    "organization": check_organization,
    "date_field": check_date,
    "key, search, hidden": check_names,
    "columns, relations, includes": check_lengths,
    "scopes, roles": check_readers,
    "where": check_shown_rows,
    "exposed, columns": check_secrets,
    "columns, filters, rules": _check_expressions,
}
