"""How records belong to organizations, as far as the relations of their models tell."""

from functools import cache
from typing import Any

from django.db.models import Model, OneToOneRel

from longshore.accounts.models import Organization
from longshore.resources.registry import Resource, registry
from longshore.resources.relations import Relation

# Steps that a path may have: three foreign keys to a tenant of another app, and its link model. A
# longer path says little about the owner of a record.
MAX_STEPS = 4


def is_organization(model: type[Model]) -> bool:
    """Return whether the records of a model are organizations."""
    return model._meta.concrete_model is Organization


def organization_links(model: type[Model]) -> list[Any]:
    """Return the foreign keys of a model to an organization."""
    return [each for each in _foreign_keys(model) if is_organization(each.related_model)]


@cache
def organization_path(model: type[Model], *, beside: str | None = None) -> tuple[str, ...] | None:
    """Return a shortest path from a model to an organization; None without one.

    Each step is a foreign key, or the reverse of a one-to-one relation, as of a link model.

    beside: a foreign key of the model with which the path does not begin. The path then begins with
        another one, or a link model: other records with a one-to-one relation to a record are no
        owners of it.
    """
    paths: list[tuple[type[Model], tuple[str, ...]]] = [(model, ())]
    seen = {model}
    for _ in range(MAX_STEPS):
        longer = []
        for reached, path in paths:
            steps = [*_foreign_keys(reached), *_reversed_one_to_ones(reached)]
            if beside is not None and not path:
                steps = [each for each in steps if each.name != beside and _is_owner(each)]
            for step in steps:
                if is_organization(step.related_model):
                    return (*path, step.name)
                if step.related_model not in seen:
                    seen.add(step.related_model)
                    longer.append((step.related_model, (*path, step.name)))
        paths = longer
    return None


def owner_paths(relation: Relation) -> list[tuple[str, ...]]:
    """Return the paths by which related records without a resource belong to an organization.

    These are all foreign keys to organizations, or else a path of several steps. There are none for
    records that are a part of the row with the relation: they belong to its organization.
    """
    model = relation.target
    if rest := _rest_of_path(relation):
        return [rest]
    if links := organization_links(model):
        return [(link.name,) for link in links]
    key, row = relation.reverse_foreign_key, _declared(relation)
    if key is None:
        path = organization_path(model)
    elif row is None or row.organization is None:
        path = organization_path(model, beside=key) or organization_path(model)
    elif relation.name in row.writable_relations:
        path = None  # Batches write the records with the row.
    else:
        # Another record may own them, as the order of another organization owns the lines with a
        # product.
        path = organization_path(model, beside=key)
    return [] if path is None else [path]


def leads_to_owner(relation: Relation) -> bool:
    """Return whether a relation is the first step of the path to its own row's organization."""
    return _rest_of_path(relation) is not None


def _rest_of_path(relation: Relation) -> tuple[str, ...] | None:
    declared = _declared(relation)
    first, *rest = ((declared and declared.organization) or "").split("__")
    return tuple(rest) if rest and first == relation.name else None


def _declared(relation: Relation) -> Resource | None:
    """Return the resource of the rows that have the relation; None without one."""
    return registry.for_model(relation.model) if relation.model else None


def _foreign_keys(model: type[Model]) -> list[Any]:
    fields: list[Any] = [*model._meta.concrete_fields]
    return [each for each in fields if each.is_relation and not each.remote_field.parent_link]


def _reversed_one_to_ones(model: type[Model]) -> list[Any]:
    relations: list[Any] = [*model._meta.related_objects]
    return [each for each in relations if isinstance(each, OneToOneRel) and not each.parent_link]


def _is_owner(step: Any) -> bool:
    """Return whether a step is a foreign key, or leads to a link model."""
    return not isinstance(step, OneToOneRel) or bool(organization_links(step.related_model))
