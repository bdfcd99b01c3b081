"""System checks for declarations that would disclose secrets, hidden fields, hidden rows or records
of other organizations.

The engine never discloses secrets, hidden fields or records of other organizations, even if a check
is ignored. The checks name the declaration to correct.
"""

from collections.abc import Iterable, Iterator

from django.core.checks import CheckMessage, Error
from django.core.exceptions import FieldError, ValidationError
from django.db.models import Model, Q

from longshore.resources.columns import secret_fields
from longshore.resources.ownership import leads_to_owner, owner_paths
from longshore.resources.registry import Resource, registry, revealing_fields
from longshore.resources.relations import Relation
from longshore.resources.row_filters import hides_rows, row_filter

_SHOW_ALL = "where=Q() shows all rows"


def problem(resource: Resource, text: str, code: str, hint: str | None = None) -> Error:
    """Return an error of a resource. text: a clause without a full stop."""
    # Django's messages show the label of a model, which `Model` itself does not have.
    model = resource.model if hasattr(resource.model, "_meta") else None
    return Error(sentence(f"Resource {resource.name!r}: {text}"), hint, model, code)


def sentence(text: str) -> str:
    """Return a text with a full stop, unless it is a question."""
    return text if text.endswith("?") else f"{text}."


def check_shown_rows(resource: Resource) -> Iterator[CheckMessage]:
    """Check that the row filter is valid, and declared if the model's manager hides rows."""
    yield from _check_filter(resource, "", resource.model, resource.where)
    if resource.where is None and hides_rows(resource.model):
        text = f"the default manager of {resource.model.__name__} hides rows, but exports show them"
        hint = (
            f"Set where to the manager's condition, such as where=Q(deleted_at=None); {_SHOW_ALL}."
        )
        yield problem(resource, text, "longshore_resources.E018", hint)


def check_secrets(resource: Resource) -> Iterator[CheckMessage]:
    """Check that the resource shows secrets only if it exposes them explicitly."""
    secrets = secret_fields(resource.model)
    for name in sorted(resource.exposed - secrets):
        text = f"exposed {name!r} is not a field of {resource.model.__name__} that holds a secret"
        hint = "No name of its fields looks like a secret: leave exposed out."
        if secrets:
            hint = f"Name fields whose names look like secrets: {', '.join(sorted(secrets))}."
        yield problem(resource, text, "longshore_resources.E020", hint)
    for column in resource.columns:
        if column.field in secrets - resource.exposed:
            text = f"the column {column.name!r} shows {column.field!r}, which holds a secret"
            hint = f"Remove the column, or declare exposed=frozenset({{{column.field!r}}})."
            yield problem(resource, text, "longshore_resources.E020", hint)


def check_revealing_fields(resource: Resource) -> Iterator[CheckMessage]:
    """Check that no foreign key holds a field that the resource of its records hides."""
    for field in revealing_fields(resource.model):
        if not resource.hidden & {field.name, field.attname}:
            other = registry.for_model(field.related_model)
            name = f"{field.target_field.name!r} of {field.related_model.__name__}"
            text = f"the foreign key {field.name!r} holds {name}, a hidden field of the resource "
            hint = (
                f"Declare hidden=frozenset({{{field.name!r}}}), or remove the field from hidden of "
            )
            label = repr(other.name) if other else ""
            yield problem(resource, f"{text}{label}", "longshore_resources.E021", f"{hint}{label}.")


def check_related_rows(resource: Resource, relation: Relation) -> Iterator[CheckMessage]:
    """Check that the engine knows which records of a relation an organization may see."""
    target, prefix = relation.target, f"relation {relation.name!r}: "
    yield from _check_filter(resource, prefix, target, relation.where)
    if registry.for_model(target) is not None:
        return
    paths = owner_paths(relation)
    if paths and not leads_to_owner(relation):
        text = f"{prefix}{target.__name__} belongs to an organization but has no resource"
        hint = f"Register a resource for {target.__name__}, with organization={_path(paths[0])}, "
        if key := relation.reverse_foreign_key:
            own = (key, *(resource.organization or "").split("__"))
            if resource.organization and own != paths[0]:
                hint += f"organization={_path(own)} if its records belong to the {resource.name}, "
        hint += "or organization=None if all organizations share its records."
        yield problem(resource, text, "longshore_resources.E019", hint)
    if relation.where is None and hides_rows(target):
        text = f"{prefix}the default manager of {target.__name__} hides rows, but exports show them"
        hint = f"Set where of the relation to the manager's condition; {_SHOW_ALL}."
        yield problem(resource, text, "longshore_resources.E018", hint)


def check_related_fields(resource: Resource, relation: Relation) -> Iterator[CheckMessage]:
    """Check that a relation shows no secrets and no fields that its records' resource hides."""
    target = relation.target
    names = {field.attname: field.name for field in target._meta.concrete_fields}
    other = registry.for_model(target)
    secrets = secret_fields(target) - (other.exposed if other else frozenset())
    hidden = other.hidden if other else frozenset()
    for name in dict.fromkeys((relation.label, *relation.fields)):
        field = names.get(name, name)
        prefix = f"relation {relation.name!r}: {name!r} of {target.__name__} "
        if field in secrets:
            hint = f"Remove it from the relation, or declare exposed=frozenset({{{field!r}}}) in a "
            hint += f"resource for {target.__name__}."
            yield problem(resource, f"{prefix}holds a secret", "longshore_resources.E020", hint)
        elif other and name != relation.key and hidden & {name, field}:
            text = f"{prefix}is a hidden field of the resource {other.name!r}"
            hint = f"Remove it from the relation, or from hidden of {other.name!r}."
            yield problem(resource, text, "longshore_resources.E021", hint)


def _path(steps: Iterable[str]) -> str:
    return repr("__".join(steps))


def _check_filter(
    resource: Resource, prefix: str, model: type[Model], condition: Q | None
) -> Iterator[CheckMessage]:
    if condition is None:
        return
    try:
        row_filter(model, condition, "row")
    except (AttributeError, FieldError, TypeError, ValidationError, ValueError) as error:
        reason = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
        text = f"{prefix}where {condition}: {reason.rstrip('.')}"
        hint = f"Use lookups of columns of {model.__name__}, such as where=Q(deleted_at=None)."
        yield problem(resource, text, "longshore_resources.E017", hint)
