"""System checks of resources: report wrong declarations at start-up."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.core.checks import CheckMessage, register
from psycopg import sql

from longshore.resources.columns import ColumnType, has_table
from longshore.resources.declared_types import wrong_types
from longshore.resources.disclosure import (
    check_revealing_fields,
    check_secrets,
    check_shown_rows,
    problem,
)
from longshore.resources.filters import parse_options
from longshore.resources.model_checks import (
    check_columns,
    check_date,
    check_lengths,
    check_model,
    check_names,
    check_organization,
    check_readers,
    check_table,
)
from longshore.resources.name_checks import (
    check_address,
    check_declared_names,
    check_declared_once,
    option_names,
)
from longshore.resources.named_filters import NamedFilter
from longshore.resources.registry import Resource, registry
from longshore.resources.relation_checks import (
    check_default_columns,
    check_includes,
    check_relations,
)
from longshore.resources.timezones import UTC
from longshore.resources.write_checks import check_written

TYPE = "longshore_resources.E028"


@register
def check_resources(**_: Any) -> list[CheckMessage]:
    """Return the problems of all declared resources."""
    problems: list[CheckMessage] = []
    names: dict[str, Resource] = {}
    for resource in registry.declared:
        if any(wrong_types(resource)) or not has_table(resource.model):
            problems.extend(check_resource(resource))
            continue
        for attribute in ("name", "plural"):
            name = getattr(resource, attribute)
            if names.setdefault(name, resource) is not resource:
                owner = names[name].model._meta.label
                text = f"{attribute}: {owner} already has the name {name!r}"
                hint = (
                    f"Choose another {attribute}, such as {resource.model._meta.app_label}_{name}."
                )
                problems.append(problem(resource, text, "longshore_resources.E001", hint))
        problems.extend(check_resource(resource))
    return problems


def check_resource(resource: Resource) -> Iterator[CheckMessage]:
    """Yield the problems of one resource. Catches the errors of checks."""
    wrong = [problem(resource, each.text, TYPE, each.hint) for each in wrong_types(resource)]
    yield from wrong or _check_values(resource)


def _check_values(resource: Resource) -> Iterator[CheckMessage]:
    """Check a resource whose attributes have the right types."""
    names = [*_guarded("name, plural", check_address, resource)]
    of_model = [*_guarded("model", check_model, resource)]
    yield from (*names, *of_model)
    if of_model:
        return
    for attributes, check in _CHECKS.items():
        yield from _guarded(attributes, check, resource)
    of_relations = [*_guarded("relations", check_relations, resource)]
    yield from of_relations
    yield from _guarded("writable, writable_relations, required", check_written, resource)
    if not of_relations:
        yield from _guarded("default_columns", check_default_columns, resource)
        yield from _guarded("includes", check_includes, resource)
        yield from _guarded("filters", _check_filters, resource)
    yield from _guarded("columns, relations, filters", check_declared_once, resource)


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


def _check_expressions(resource: Resource) -> Iterator[CheckMessage]:
    """Check that SQL has no placeholders but `{row}`."""
    templates = [(f"column {each.name!r}", each.expression) for each in resource.columns]
    templates += [
        (f"filter {each.name!r}", each.expression) for each in resource.filters if each.expression
    ]
    templates += [(f"rule {each.message!r}", each.condition) for each in resource.rules]
    for name, template in templates:
        if not template.strip():
            hint = "Write an SQL expression, such as '{row}.price'."
            text = f"{name}: the expression is empty"
            yield problem(resource, text, "longshore_resources.E026", hint)
            continue
        try:
            sql.SQL(template).format(row=sql.Identifier("row"))
        except (IndexError, KeyError, ValueError) as error:
            text = f"{name}: the expression {template!r} is not valid: {error!r}"
            hint = "Write {row} for the alias of the row, and every other brace twice."
            yield problem(resource, text, "longshore_resources.E026", hint)


def _check_filters(resource: Resource) -> Iterator[CheckMessage]:
    for named in resource.filters:
        for text, hint in _filter_problems(resource, named):
            text = f"filter {named.name!r}: {text}"
            yield problem(resource, text, "longshore_resources.E022", hint)


def _filter_problems(resource: Resource, named: NamedFilter) -> Iterator[tuple[str, str]]:
    """Yield the problems of one filter, each with a hint."""
    if bool(named.paths) == bool(named.expression):
        yield "declare either paths or an expression", "Set one of them."
    if named.inclusive and (named.paths or named.kind is not ColumnType.BOOLEAN):
        hint = "Write an SQL expression of a boolean, or leave inclusive out."
        yield "inclusive needs a boolean expression", hint
    for path in named.paths:
        other = resource.filters_by_name.get(path)
        if other and other.paths:
            yield f"{path!r} has paths itself", f"Name columns in place of {path!r}."
            continue
        hint = "Name columns, fields of relations as in 'guest.email', or filters with expressions."
        if path in option_names(resource):
            yield f"{path!r} is an option and not a filter", hint
            continue
        for wrong in parse_options(resource, {path: "is_not_null"}, UTC)[1]:
            yield wrong.message.rstrip("."), hint


# The checks of attributes that do not need each other, by the attributes.
_CHECKS: Mapping[str, Callable[[Resource], Iterator[CheckMessage]]] = {
    "model": check_table,
    "organization": check_organization,
    "date_field": check_date,
    "key, search, hidden": check_names,
    "columns, hidden": check_columns,
    "columns, filters, relations": check_declared_names,
    "columns, relations, includes": check_lengths,
    "scopes, roles": check_readers,
    "where": check_shown_rows,
    "exposed, columns": check_secrets,
    "hidden": check_revealing_fields,
    "columns, filters, rules": _check_expressions,
}
