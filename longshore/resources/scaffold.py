"""The text of a declaration to start from, for a model that is not a resource yet."""

from collections.abc import Iterator
from itertools import chain, count
from typing import Any

from django.core.checks import INFO, CheckMessage
from django.db.models import CharField, DateField, DateTimeField, ForeignKey, Model, TextField
from django.utils.text import camel_case_to_spaces

from longshore.api.apis import NATIVE
from longshore.resources.checks import check_resource
from longshore.resources.columns import secret_fields
from longshore.resources.name_checks import is_taken, view_at
from longshore.resources.names import plural_of, proposed_name
from longshore.resources.ownership import is_organization, organization_path
from longshore.resources.registry import Resource, registry
from longshore.resources.relations import Relation
from longshore.resources.row_filters import hides_rows

_DATES = ("created_at", "created", "date_created", "added_at", "updated_at", "modified_at")
_LABELS = ("name", "title", "label", "code", "number", "slug", "email", "username")


def scaffold(model: type[Model]) -> str:
    """Return the Python source of a module `resources.py` that declares a model.

    The declaration passes the system checks, or comments say what they report. If no path leads to
    an organization, `check` reports it until a person has chosen who may read the records.
    """
    resource = draft(model)
    lines = list(_imports(resource))
    lines += ["", "register(", "    Resource(", *_attributes(resource), "    )", ")"]
    reported = [each for each in check_resource(resource) if each.level > INFO]
    notes = [*_notes(resource), *map(_sentence, reported)]
    return "\n".join([*(f"# {note}" for note in notes), *lines, ""])


def draft(model: type[Model]) -> Resource:
    """Return a resource with all relations of a model that the checks accept."""
    options = model._meta
    name, plural = _names(model)
    path = organization_path(model)
    resource = Resource(
        name=name,
        plural=plural,
        model=model,
        organization="__".join(path) if path else None,
        date_field=_date_field(model),
    )
    relations: tuple[Relation, ...] = ()
    for field in options.concrete_fields:
        if not isinstance(field, ForeignKey) or is_organization(field.related_model):
            continue
        found = _relation(model, field)
        tried = _with_relations(resource, (*relations, found))
        if not [each for each in check_resource(tried) if each.is_serious()]:
            relations = (*relations, found)
    return _with_relations(resource, relations)


def _with_relations(resource: Resource, relations: tuple[Relation, ...]) -> Resource:
    return Resource(
        resource.name,
        resource.plural,
        resource.model,
        organization=resource.organization,
        date_field=resource.date_field,
        relations=relations,
    )


def _names(model: type[Model]) -> tuple[str, str]:
    """Return a name and a plural that no resource has, nor another address of the API."""
    options = model._meta
    texts = str(options.verbose_name), str(options.verbose_name_plural)
    if not "".join(texts).isascii():
        text = camel_case_to_spaces(options.object_name or "")
        texts = text, plural_of(text)
    taken = {name for each in registry.declared for name in (each.name, each.plural)}

    def free(text: str, *, address: str = "") -> str:
        longer = proposed_name(f"{options.app_label}_{text}")
        names = chain((proposed_name(text), longer), (f"{longer}_{each}" for each in count(2)))
        unused = (name for name in names if name not in taken)
        # A project may have one view for all paths that it does not know.
        fallback = view_at(f"{address}{longer}_0")

        def has_view(path: str) -> bool:
            return is_taken(path) and view_at(path) is not fallback

        return next(name for name in unused if not (address and has_view(f"{address}{name}")))

    return free(texts[0]), free(texts[1], address=NATIVE.prefixes[0])


def _date_field(model: type[Model]) -> str | None:
    dates = [each for each in model._meta.concrete_fields if isinstance(each, DateField)]
    names = {each.name for each in dates}
    known = [name for name in _DATES if name in names]
    full = [each.name for each in dates if isinstance(each, DateTimeField)]
    return next(iter([*known, *full, *(each.name for each in dates)]), None)


def _relation(model: type[Model], field: Any) -> Relation:
    target: type[Model] = field.related_model
    resource = registry.for_model(target)
    hidden = resource.hidden_fields if resource else secret_fields(target)
    texts = [
        each.name
        for each in target._meta.concrete_fields
        if isinstance(each, CharField | TextField) and each.name not in hidden
    ]
    key = target._meta.pk.name
    label = next((name for name in _LABELS if name in texts), None)
    label = label or next((name for name in texts if name != key), key)
    return Relation(field.name, label=label, fields=tuple(dict.fromkeys((key, label))))


def _imports(resource: Resource) -> Iterator[str]:
    model = resource.model
    yield f"from {model.__module__} import {model.__name__}"
    yield "from longshore.resources.registry import Resource, register"
    if resource.relations:
        yield "from longshore.resources.relations import Relation"


def _attributes(resource: Resource) -> Iterator[str]:
    model = resource.model
    yield f"        name={resource.name!r},"
    yield f"        plural={resource.plural!r},"
    yield f"        model={model.__name__},"
    if resource.organization is None and not is_organization(model):
        yield "        # Choose: None if every organization may read all records, or the path of"
        yield "        # foreign keys to the organization of each, such as 'club__organization'."
        yield "        organization=...,"
    else:
        yield f"        organization={resource.organization!r},"
    yield f"        date_field={resource.date_field!r},"
    if resource.relations:
        yield "        relations=("
        for each in resource.relations:
            given = f"{each.name!r}, label={each.label!r}, fields={each.fields}"
            yield f"            Relation({given}),"
        yield "        ),"


def _notes(resource: Resource) -> Iterator[str]:
    """Yield sentences about what the declaration leaves open."""
    model = resource.model
    if resource.organization is None and not is_organization(model):
        yield "No path leads to an organization: choose organization. Until then, check reports it."
    if resource.date_field is None:
        yield "The model has no date: no date range applies, and the greatest key comes first."
    for name in sorted(secret_fields(model)):
        yield f"{name} looks like a secret and is hidden."
    declared = {each.name for each in resource.relations}
    for field in model._meta.concrete_fields:
        if isinstance(field, ForeignKey) and field.name not in declared:
            target = field.related_model
            if not is_organization(target):
                yield f"{field.name} is left out: declare a resource for {target.__name__} first."
    if hides_rows(model):
        yield "The default manager hides rows: set where to its condition, or to Q() for all rows."


def _sentence(message: CheckMessage) -> str:
    hint = f" {message.hint}" if message.hint else ""
    return f"{message.id}: {message.msg}{hint}".replace("\n", " ")
