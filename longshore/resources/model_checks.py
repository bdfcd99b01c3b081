"""System checks of what a resource declares of its model: table, organization, date and key."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Info, Warning
from django.db import connection
from django.db.models import DateField, Field, JSONField, Model, OneToOneRel

from longshore.accounts.models import Scope
from longshore.accounts.roles import Role
from longshore.database.texts import MAX_NAME_BYTES
from longshore.resources.columns import (
    ColumnType,
    column_name,
    field_column,
    find_field,
    has_column,
    has_composite_key,
    has_table,
)
from longshore.resources.disclosure import problem
from longshore.resources.ownership import (
    is_organization,
    organization_links,
    organization_path,
)
from longshore.resources.registry import Resource
from longshore.resources.tables import concrete_model, inherited_fields

_WITHOUT_COLUMN = (
    "has no column that could be joined; declare a foreign key, or a path to a model with one"
)


def check_model(resource: Resource) -> Iterator[CheckMessage]:
    """Yield the problems of a resource's model. Other checks need a model without these."""
    model = resource.model
    if not has_table(model):
        swapped = model is not Model and model._meta.swapped
        reason = f"is replaced by {swapped}" if swapped else "is abstract"
        text = f"model: {model.__name__} {reason}, so it has no table"
        hint = f"Declare {swapped or 'a model that derives from it'}."
        yield problem(resource, text, "longshore_resources.E024", hint)
    elif has_composite_key(model):
        yield composite_key(resource, "", resource.model)


def composite_key(resource: Resource, prefix: str, model: type[Model]) -> CheckMessage:
    """Return the error of a model that no statement can identify by one column."""
    text = f"{prefix}{model.__name__} has a composite primary key, which is not supported"
    hint = (
        f"Give {model.__name__} a primary key of one column and a UniqueConstraint, or declare a "
        "model with managed = False for a view that has such a column."
    )
    return problem(resource, text, "longshore_resources.E024", hint)


def check_table(resource: Resource) -> Iterator[CheckMessage]:
    """Check that every column has one meaning and can be compared."""
    model = resource.model
    inherited = {column_name(field): field for field in inherited_fields(model)}
    for field in model._meta.local_concrete_fields:
        other = inherited.get(column_name(field))
        if other is not None:
            text = (
                f"{field.name!r} and {other.name!r} of the parent model {other.model.__name__} "
                f"have the same column name, {column_name(field)!r}"
            )
            hint = "Give one of them another db_column."
            yield problem(resource, text, "longshore_resources.E010", hint)
    for field in model._meta.concrete_fields:
        is_visible = not resource.hidden_fields & {field.name, field.attname}
        if is_visible and isinstance(field, JSONField) and field.db_type(connection) == "json":
            text = f"{field.name!r} has the type json, which cannot be compared; use jsonb"
            hint = f"Store it as jsonb, or declare hidden=frozenset({{{field.name!r}}})."
            yield problem(resource, text, "longshore_resources.E011", hint)


def check_organization(resource: Resource) -> Iterator[CheckMessage]:
    """Check that the path leads to an organization, and report a resource without one."""
    if resource.organization is None:
        yield from _check_shared(resource)
        return
    model = resource.model
    for step in resource.organization.split("__"):
        field = find_field(model, step)
        is_joinable = (isinstance(field, Field) and field.is_relation) or isinstance(
            field, OneToOneRel
        )
        target: Any = getattr(field, "related_model", None)
        if not is_joinable or field.many_to_many or target is None or field.name != step:
            text = f"organization {resource.organization!r}: {step!r} is not a foreign key of "
            yield problem(
                resource, text + model.__name__, "longshore_resources.E003", _path_hint(resource)
            )
            return
        if getattr(field, "column", "") is None:
            text = f"organization {resource.organization!r}: {step!r} of {model.__name__} "
            hint = _path_hint(resource)
            yield problem(resource, text + _WITHOUT_COLUMN, "longshore_resources.E003", hint)
            return
        model = target
    if not is_organization(model):
        text = f"organization {resource.organization!r} leads to {model.__name__}"
        yield problem(
            resource,
            text + ", not to Organization",
            "longshore_resources.E004",
            _path_hint(resource),
        )


def _path_hint(resource: Resource) -> str:
    path = organization_path(resource.model)
    if path is not None:
        return f"Set organization={'__'.join(path)!r}."
    return (
        "Name a path of foreign keys to Organization, or set organization=None if all "
        "organizations may read all records."
    )


def _check_shared(resource: Resource) -> Iterator[CheckMessage]:
    model = resource.model
    name = f"Resource {resource.name!r}"
    if is_organization(model) or organization_links(model):
        text = f"organization=None, but each {model.__name__} belongs to an organization"
        hint = _path_hint(resource)
        if is_organization(model):
            hint = "Organizations themselves cannot be a resource."
        yield problem(resource, text, "longshore_resources.E025", hint)
    elif path := organization_path(model):
        text = (
            f"{name}: organization=None shows the records of every organization, but there is a "
            f"path to one: {'__'.join(path)}."
        )
        hint = f"Set organization={'__'.join(path)!r}, unless all organizations share the records."
        yield Warning(text, hint, model, "longshore_resources.W001")
    else:
        text = f"{name}: organization=None: every organization may read all records."
        yield Info(text, obj=model, id="longshore_resources.I001")


def check_date(resource: Resource) -> Iterator[CheckMessage]:
    """Check that the date field is a shown date or datetime."""
    name = resource.date_field
    if name is None:
        return
    text = ""
    if not isinstance(find_field(resource.model, name), DateField):
        text = f"date_field {name!r} is not a date or datetime field"
    elif name in resource.hidden_fields:
        text = f"date_field {name!r} is hidden"
    elif (column := resource.columns_by_name.get(name)) and not column.is_date:
        text = f"date_field {name!r} is declared as a column of the type {column.kind}"
    if text:
        dates = [each for each, column in resource.columns_by_name.items() if column.is_date]
        listed = f"one of {', '.join(dates)}, or " if dates else ""
        hint = f"Set date_field to {listed}None: then records are ordered by their primary key."
        yield problem(resource, text, "longshore_resources.E005", hint)


def check_names(resource: Resource) -> Iterator[CheckMessage]:
    """Check the fields that `key`, `search` and `hidden` name, and that the key is unique."""
    named = [("key", name) for name in resource.key]
    named += [] if resource.search is None else [("search", resource.search)]
    missing = [(kind, name) for kind, name in named if not has_column(resource.model, name)]
    for kind, name in missing:
        yield _without_column(resource, kind, name, _fields_hint(resource))
    if not missing and not _is_unique(resource):
        text = f"key {', '.join(resource.key_fields)} is not unique within an organization"
        hint = (
            "Add a UniqueConstraint of the organization and the key without a condition, or leave "
            "key out: then batches use the primary key."
        )
        yield problem(resource, text, "longshore_resources.E016", hint)
    if resource.search and has_column(resource.model, resource.search):
        yield from _check_search(resource, resource.search)
    for name in sorted({name for name in resource.key if resource.key.count(name) > 1}):
        text = f"key {name!r} is named twice"
        yield problem(resource, text, "longshore_resources.E006", "Remove one of them.")
    for name in sorted(resource.hidden):
        if not has_column(resource.model, name):
            hint = _fields_hint(resource)
            if find_field(resource.model, name) is not None:
                hint += " Other relations are shown only if relations or includes name them."
            yield _without_column(resource, "hidden", name, hint)


def check_columns(resource: Resource) -> Iterator[CheckMessage]:
    """Check that columns are left, and the fields and the digits of declared columns."""
    if not resource.columns_by_name:
        text, hint = "hidden: no column is shown", "Show at least the primary key."
        yield problem(resource, text, "longshore_resources.E006", hint)
    for column in resource.columns:
        name, text = column.field, ""
        if name is not None and not has_column(resource.model, name):
            hint = "Leave field out for a computed column. field_column(…) sets it."
            yield _without_column(resource, f"columns: field of {column.name!r}:", name, hint)
        elif name is not None and (known := find_field(resource.model, name).name) != name:
            text = (
                f"columns: field {name!r} of {column.name!r} is the column of the field {known!r}"
            )
            hint = f"Write field={known!r}."
        elif column.digits is not None and (column.digits[0] < 1 or column.digits[1] < 0):
            text = f"columns: digits {column.digits} of {column.name!r} are no precision and scale"
            hint = "Write all digits, and those of them after the decimal point, such as (12, 2)."
        if text:
            yield problem(resource, text, "longshore_resources.E006", hint)


def _check_search(resource: Resource, name: str) -> Iterator[CheckMessage]:
    if resource.search_column is not None:
        return
    text, hint = f"search {name!r} is not a text field", "Name a CharField or TextField."
    if field_column(resource.model, name).kind is ColumnType.TEXT:
        text = f"search {name!r} is a hidden field, whose values a search would disclose"
        hint = "Name a field that the resource shows, or a generated field of such fields."
    yield problem(resource, text, "longshore_resources.E030", hint)


def _without_column(resource: Resource, kind: str, name: str, hint: str) -> CheckMessage:
    """Return the error of a name that is not a field with a column."""
    text = f"{kind} {name!r} is not a field of {resource.model.__name__}"
    text += "" if find_field(resource.model, name) is None else " with a column"
    return problem(resource, text, "longshore_resources.E006", hint)


def _fields_hint(resource: Resource) -> str:
    fields = ", ".join(each.name for each in resource.model._meta.concrete_fields)
    return f"Name fields of {resource.model.__name__}: {fields}."


def _is_unique(resource: Resource) -> bool:
    """Return whether the database guarantees that the key is unique within an organization."""
    options = concrete_model(resource.model)._meta
    if not options.managed:  # A view has no constraints of its own.
        return True
    known = {options.get_field(name).name for name in resource.key_fields} | {resource.organization}
    unique = [{field.name} for field in options.concrete_fields if field.unique]
    unique += [set(constraint.fields) for constraint in options.total_unique_constraints]
    unique += [set(fields) for fields in options.unique_together]
    return any(fields and fields <= known for fields in unique)


def check_lengths(resource: Resource) -> Iterator[CheckMessage]:
    """Check that PostgreSQL cuts none of the names in statements."""
    maxima = [
        # Tables that repeat related records have the name `computed <column>`.
        ("column", name, MAX_NAME_BYTES - (9 if column.field is None else 0))
        for name, column in resource.columns_by_name.items()
    ]
    steps = {step for path in resource.includes for step in path.split(".")}
    # Statements have the aliases `row1_<relation>` and `row1_<relation>_link`.
    relations = [("relation", name) for name in resource.relations_by_name]
    relations += [
        ("include", name) for name in sorted(steps.difference(resource.relations_by_name))
    ]
    maxima += [(kind, name, MAX_NAME_BYTES - 10) for kind, name in relations]
    for kind, name, maximum in maxima:
        if len(name.encode()) > maximum:
            text = f"the {kind} {name!r} has a name of more than {maximum} bytes"
            hint = "Give it a shorter name: of a field, or as the related_name of a foreign key."
            yield problem(resource, text, "longshore_resources.E032", hint)


def check_readers(resource: Resource) -> Iterator[CheckMessage]:
    """Check that the scopes and roles exist."""
    for kind, given, known in (
        ("scopes", resource.scopes, Scope.values),
        ("roles", resource.roles, [str(role) for role in Role]),
    ):
        for name in sorted(set(given) - set(known)):
            text = f"{kind}: {name!r} is unknown"
            hint = f"Choose from {', '.join(known)}."
            yield problem(resource, text, "longshore_resources.E027", hint)
