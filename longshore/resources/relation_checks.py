"""System checks of the relations that a resource declares, and of the paths of its includes."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage
from django.db.models import Model

from longshore.resources.columns import find_field, has_column, has_composite_key
from longshore.resources.disclosure import check_related_fields, check_related_rows, problem
from longshore.resources.include_paths import MAX_INCLUDE_DEPTH
from longshore.resources.model_checks import composite_key
from longshore.resources.registry import Resource
from longshore.resources.relations import Relation, find_relation


def relation_hint(model: type[Model], name: str) -> str:
    """Return how to name a relation in a declaration, in place of a name that is not one.

    Without `related_name`, instances have `comment_set`, and queries and declarations `comment`.
    """
    field = find_field(model, name)
    if field is not None and field.is_relation and getattr(field, "column", None) is None:
        return f"Leave {name!r} out: it has no column that could be joined."
    options = model._meta
    accessors = {each.get_accessor_name(): each.name for each in options.related_objects}
    accessors |= {each.attname: each.name for each in options.concrete_fields if each.is_relation}
    if name in accessors:
        return f"Name it {accessors[name]!r}."
    found = [each.name for each in options.get_fields() if find_relation(model, each.name)]
    listed = f": {', '.join(found)}" if found else ", of which there are none"
    return f"Name a relation of {model.__name__}{listed}."


def check_relations(resource: Resource) -> Iterator[CheckMessage]:
    """Check that each relation exists, and shows fields and records that it may show."""
    for relation in resource.relations:
        yield from _check_relation(resource, relation)


def _check_relation(resource: Resource, relation: Relation) -> Iterator[CheckMessage]:
    field = find_relation(resource.model, relation.name)
    if field is None:
        text = f"relation {relation.name!r} is not a relation of {resource.model.__name__}"
        hint = relation_hint(resource.model, relation.name)
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


def path_hint(resource: Resource, path: str, accepted: Any) -> str | None:
    """Return how to make the field of a related record known, if it is one; else what to write."""
    head, _, name = path.partition(".")
    relation = resource.relations_by_name.get(head)
    if relation and not resource.has_path(path) and has_column(relation.target, name):
        return f"Add {name!r} to fields of the relation {head!r} of the resource {resource.name!r}."
    if not accepted:
        return None
    return f"Accepted: {accepted if isinstance(accepted, str) else ', '.join(accepted)}."


def check_default_columns(resource: Resource) -> Iterator[CheckMessage]:
    """Check that each default column exists, and is listed once."""
    columns = resource.default_columns
    for path in columns:
        if not resource.has_path(path):
            text = f"default_columns: {resource.name} has no column {path!r}"
            hint = path_hint(resource, path, resource.names)
            yield problem(resource, text, "longshore_resources.E033", hint)
    for path in sorted({path for path in columns if columns.count(path) > 1}):
        text, hint = f"default_columns: {path!r} is listed twice", "Remove one of them."
        yield problem(resource, text, "longshore_resources.E033", hint)


def check_includes(resource: Resource) -> Iterator[CheckMessage]:
    """Check that each step of each include leads to the records of a resource."""
    for path in resource.includes:
        for text, hint in _include_problems(resource, path):
            text = f"include {path!r}: {text}"
            yield problem(resource, text, "longshore_resources.E013", hint)
    for path in sorted({path for path in resource.includes if resource.includes.count(path) > 1}):
        text, hint = f"include {path!r} is declared twice", "Remove one of them."
        yield problem(resource, text, "longshore_resources.E013", hint)


def _include_problems(resource: Resource, path: str) -> Iterator[tuple[str, str]]:
    """Yield the problems of one path, each with a hint."""
    steps = path.split(".")
    if len(steps) > MAX_INCLUDE_DEPTH:
        shorter = ".".join(steps[:MAX_INCLUDE_DEPTH])
        yield f"{len(steps)} steps; the maximum is {MAX_INCLUDE_DEPTH}", f"Write {shorter!r}."
    parent: Resource | None = resource
    for number, step in enumerate(steps):
        if parent is None:
            yield f"the record before {step!r} has no resource", _without(steps[:number])
            return
        try:
            _, related = parent.related(step)
        except LookupError as error:
            if find_relation(parent.model, step):
                yield str(error), "Register a resource for it, or declare the relation."
            else:
                yield str(error), relation_hint(parent.model, step)
            return
        if step in parent.columns_by_name:
            hint = "Give the column another name."
            yield f"{step!r} is also a column of {parent.name}", hint
        parent = related


def _without(steps: list[str]) -> str:
    return f"Register a resource for the records of {'.'.join(steps)!r}, or shorten the path."
