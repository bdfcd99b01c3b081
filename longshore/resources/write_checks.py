"""System checks of what batches may write of a resource."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Warning
from django.db.models import AutoField, ManyToManyField, ManyToManyRel, ManyToOneRel

from longshore.resources.columns import (
    field_column,
    find_field,
    has_column,
    has_composite_key,
)
from longshore.resources.disclosure import problem
from longshore.resources.model_checks import accessor_hint
from longshore.resources.registry import Resource
from longshore.resources.relations import JOINED
from longshore.resources.tables import inherited_fields
from longshore.resources.writing import ACTIONS


def check_written(resource: Resource) -> Iterator[CheckMessage]:
    """Check what a batch may write."""
    writable = set(resource.writable_columns)
    for kind, names in (("writable", resource.writable or ()), ("required", resource.required)):
        for name in sorted(set(names) - writable):
            text = f"{kind} {name!r} is not a column of an editable field"
            if has_column(resource.model, name):
                text += " that a batch can store"
            yield problem(resource, text, "longshore_resources.E014")
    if writable and resource.actions:
        yield from _check_key(resource, writable)
    for action in sorted(set(resource.actions) - set(ACTIONS)):
        text = f"actions: {action!r} is not an action; actions are {', '.join(ACTIONS)}"
        yield problem(resource, text, "longshore_resources.E014")
    known = {*resource.names, *resource.writable_columns, *resource.writable_relations}
    for rule in resource.rules:
        if rule.column and rule.column not in known:
            text = f"rule {rule.message!r}: {rule.column!r} is not a column of {resource.name}"
            hint = f"Name one of {', '.join(sorted(known))}, or leave column out."
            yield problem(resource, text, "longshore_resources.E031", hint)
    for name in resource.writable_relations:
        field, text = find_field(resource.model, name), f"writable relation {name!r} "
        if not isinstance(field, JOINED):
            text += f"is not a relation of {resource.model.__name__}"
            named = accessor_hint(resource.model, name)
            yield problem(resource, text, "longshore_resources.E023", named)
        elif _is_unwritable(field):
            text += "leads to records with rows in several tables, or with a composite primary key"
            yield problem(resource, text, "longshore_resources.E023")
        elif isinstance(field, ManyToManyField | ManyToManyRel):
            yield from _check_links(resource, name, field)
        elif isinstance(field, ManyToOneRel) and not (
            field.remote_field.target_field.primary_key
            and field.related_model._meta.db_table != resource.model._meta.db_table
        ):
            text += "must be of another model, and refer to the primary key"
            yield problem(resource, text, "longshore_resources.E023")


def _check_key(resource: Resource, writable: set[str]) -> Iterator[CheckMessage]:
    """Check that a row of a batch can name its record by the key."""
    primary_key = resource.model._meta.pk.name
    names = [name for name in resource.key if name != primary_key]
    for name in names:
        if has_column(resource.model, name):
            column = field_column(resource.model, name).name
            if column not in writable:
                yield Warning(
                    f"Resource {resource.name!r}: key {name!r} is not a column that a batch can "
                    f"set, so its rows can name records by {primary_key} only.",
                    f"Add {column!r} to writable, leave key out, or set actions=() if no batch may "
                    "write the records.",
                    resource.model,
                    "longshore_resources.W002",
                )


def _check_links(resource: Resource, name: str, field: Any) -> Iterator[CheckMessage]:
    """Check that a batch can insert the links of a many-to-many relation."""
    declared: Any = field if isinstance(field, ManyToManyField) else field.field
    text = f"writable relation {name!r} "
    if declared.remote_field.symmetrical:
        text += "is symmetrical: each of its links is two rows, which a batch does not write"
        yield problem(resource, text, "longshore_resources.E023")
    through: Any = declared.remote_field.through
    ends = (declared.m2m_field_name(), declared.m2m_reverse_field_name())
    for each in through._meta.local_concrete_fields:
        has_value = each.null or each.generated or each.has_db_default()
        if not (has_value or each.name in ends or isinstance(each, AutoField)):
            text = (
                f"writable relation {name!r}: the column {each.attname!r} of {through.__name__} "
                "needs a value, which a batch does not have"
            )
            hint = "Give it null=True or a db_default."
            yield problem(resource, text, "longshore_resources.E023", hint)


def _is_unwritable(field: Any) -> bool:
    """Return whether a batch cannot write the records or links of a relation."""
    models = [field.related_model] if isinstance(field, ManyToOneRel) else []
    if isinstance(field, ManyToManyField | ManyToManyRel):
        declared: Any = field if isinstance(field, ManyToManyField) else field.field
        models.append(declared.remote_field.through)
    return any(has_composite_key(each) or inherited_fields(each) for each in models)
