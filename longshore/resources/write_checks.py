"""System checks of what batches may write of a resource."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.core.checks import CheckMessage, Info, Warning
from django.db.models import AutoField, ManyToManyField, ManyToManyRel, ManyToOneRel

from longshore.resources.columns import (
    field_column,
    has_column,
    has_composite_key,
    is_assigned,
)
from longshore.resources.disclosure import problem
from longshore.resources.registry import Resource
from longshore.resources.relation_checks import relation_hint
from longshore.resources.relations import find_relation
from longshore.resources.tables import inherited_fields
from longshore.resources.writing import ACTIONS


def check_written(resource: Resource) -> Iterator[CheckMessage]:
    """Check what a batch may write."""
    writable = resource.writable_columns
    every = replace(resource, writable=None)
    keys = [every.writable_key.name] if every.writable_key else []
    for kind, names, known in (
        ("writable", resource.writable or (), [*keys, *every.writable_columns]),
        ("required", resource.required, [*writable]),
    ):
        for name in sorted(set(names) - set(known)):
            text = f"{kind} {name!r} is not a column of an editable field"
            if has_column(resource.model, name):
                text += " that a batch can store"
            hint = "No field can be set: leave it out."
            if known:
                hint = f"Name columns that a batch may set: {', '.join(known)}."
            yield problem(resource, text, "longshore_resources.E014", hint)
    if (writable or resource.writable_key) and resource.actions:
        yield from _check_key(resource, set(writable))
        yield from _check_creation(resource)
    for action in sorted(set(resource.actions) - set(ACTIONS)):
        text, hint = f"actions: {action!r} is not an action", f"Actions: {', '.join(ACTIONS)}."
        yield problem(resource, text, "longshore_resources.E014", hint)
    yield from _check_rules(resource)
    for name in resource.writable_relations:
        yield from _check_relation(resource, name)


def _check_creation(resource: Resource) -> Iterator[CheckMessage]:
    """Note that batches create no records, if nothing gives them their keys or other values."""
    options = resource.model._meta
    is_unwritable = (
        resource.organization is None
        or {*resource.actions} == {"delete"}
        or has_composite_key(resource.model)
        or inherited_fields(resource.model)
    )
    if is_unwritable or not options.managed:
        return
    if missing := _fields_without_value(resource):
        yield Info(
            f"Resource {resource.name!r}: batches cannot create records, only update and delete "
            "them. Fields that must have a value, have no default and are not writable: "
            f"{', '.join(missing)}.",
            "Give each of them a default, or add it to writable.",
            resource.model,
            "longshore_resources.I003",
        )
    if resource.writable_key or is_assigned(options.pk):
        return
    reason = "is a relation" if options.pk.is_relation else "is not writable"
    yield Info(
        f"Resource {resource.name!r}: the primary key {options.pk.name!r} has no default and "
        f"{reason}. Unless the database assigns it, batches cannot create records, only update and "
        "delete them.",
        "Give the primary key a default. If it is not a relation, you can also add it to writable.",
        resource.model,
        "longshore_resources.I002",
    )


def _fields_without_value(resource: Resource) -> list[str]:
    """Return the required fields that have no default and are not writable."""
    return [
        field.name
        for field in resource.model._meta.concrete_fields
        if not field.primary_key
        and not field.generated
        and field.name != resource.organization
        and field.attname not in resource.writable_columns
        and not (field.null or field.has_default() or field.has_db_default())
        and not (getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False))
        and not (field.blank and field.empty_strings_allowed and not field.is_relation)
    ]


def _check_rules(resource: Resource) -> Iterator[CheckMessage]:
    known = {*resource.names, *resource.writable_columns, *resource.writable_relations}
    for rule in resource.rules:
        if rule.column and rule.column not in known:
            text = f"rule {rule.message!r}: {rule.column!r} is not a column of {resource.name}"
            hint = f"Name one of {', '.join(sorted(known))}, or leave column out."
            yield problem(resource, text, "longshore_resources.E031", hint)
        if not rule.message.strip():
            text = f"rules: the message of {rule.condition!r} is empty"
            hint = "Write the error of a record that fails, as a sentence."
            yield problem(resource, text, "longshore_resources.E031", hint)


def _check_relation(resource: Resource, name: str) -> Iterator[CheckMessage]:
    """Check that a batch can write a relation."""
    field = find_relation(resource.model, name)
    if field is None:
        text = f"is not a relation of {resource.model.__name__}"
        found = [(text, relation_hint(resource.model, name))]
    else:
        found = [*_relation_problems(resource, field)]
    if not found and not resource.is_related(name):
        text = f"has no label: {field.related_model.__name__} has no resource"
        found = [(text, f"Declare Relation({name!r}, …), or a resource for its model.")]
    for text, hint in found:
        text = f"writable relation {name!r} {text}"
        yield problem(resource, text, "longshore_resources.E023", hint)


def _relation_problems(resource: Resource, field: Any) -> Iterator[tuple[str, str]]:
    """Yield why a batch cannot write a relation, each with a hint."""
    remove = "Remove it from writable_relations"
    if _is_unwritable(field):
        text = "leads to records with rows in several tables, or with a composite primary key"
        yield text, f"{remove}."
    elif isinstance(field, ManyToManyField | ManyToManyRel):
        yield from _link_problems(field)
    elif isinstance(field, ManyToOneRel) and not (
        field.remote_field.target_field.primary_key
        and field.related_model._meta.db_table != resource.model._meta.db_table
    ):
        text = "must be of another model, and refer to the primary key"
        yield text, f"{remove}: a batch of its own can write the records."


def _check_key(resource: Resource, writable: set[str]) -> Iterator[CheckMessage]:
    """Check that a row of a batch can name its record by the key."""
    primary_key = resource.model._meta.pk.name
    if resource.key == (primary_key,):
        return
    for name in resource.key:
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


def _link_problems(field: Any) -> Iterator[tuple[str, str]]:
    """Yield why a batch cannot insert the links of a many-to-many relation, each with a hint."""
    declared: Any = field if isinstance(field, ManyToManyField) else field.field
    if declared.remote_field.symmetrical:
        text = "is symmetrical: each of its links is two rows, which a batch does not write"
        yield text, "Remove it from writable_relations, or declare it with symmetrical=False."
    through: Any = declared.remote_field.through
    ends = (declared.m2m_field_name(), declared.m2m_reverse_field_name())
    for each in through._meta.local_concrete_fields:
        has_value = each.null or each.generated or each.has_db_default()
        if not (has_value or each.name in ends or isinstance(each, AutoField)):
            text = f"cannot be written: the column {each.attname!r} of {through.__name__} needs a "
            yield f"{text}value, which a batch does not have", "Give it null=True or a db_default."


def _is_unwritable(field: Any) -> bool:
    """Return whether a batch cannot write the records or links of a relation."""
    models = [field.related_model] if isinstance(field, ManyToOneRel) else []
    if isinstance(field, ManyToManyField | ManyToManyRel):
        declared: Any = field if isinstance(field, ManyToManyField) else field.field
        models.append(declared.remote_field.through)
    return any(has_composite_key(each) or inherited_fields(each) for each in models)
