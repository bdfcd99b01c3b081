"""System checks of what batches may write of a resource."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage
from django.db.models import ManyToManyField, ManyToManyRel, ManyToOneRel

from longshore.resources.columns import find_field, has_column, has_composite_key
from longshore.resources.disclosure import problem
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
            yield problem(resource, text, "longshore_resources.E023")
        elif _is_unwritable(field):
            text += "leads to records with rows in several tables, or with a composite primary key"
            yield problem(resource, text, "longshore_resources.E023")
        elif isinstance(field, ManyToOneRel) and not (
            field.remote_field.target_field.primary_key
            and field.related_model._meta.db_table != resource.model._meta.db_table
        ):
            text += "must be of another model, and refer to the primary key"
            yield problem(resource, text, "longshore_resources.E023")


def _is_unwritable(field: Any) -> bool:
    """Return whether a batch cannot write the records or links of a relation."""
    models = [field.related_model] if isinstance(field, ManyToOneRel) else []
    if isinstance(field, ManyToManyField | ManyToManyRel):
        declared: Any = field if isinstance(field, ManyToManyField) else field.field
        models.append(declared.remote_field.through)
    return any(has_composite_key(each) or inherited_fields(each) for each in models)
