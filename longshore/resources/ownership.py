"""How models belong to organizations, as far as their foreign keys tell."""

from functools import cache
from typing import Any

from django.db.models import Model

from longshore.accounts.models import Organization

# Foreign keys that a path may follow. A longer path says little about the owner of a record.
MAX_STEPS = 3


def is_organization(model: type[Model]) -> bool:
    """Return whether the records of a model are organizations."""
    return model._meta.concrete_model is Organization


def organization_links(model: type[Model]) -> list[Any]:
    """Return the foreign keys of a model to an organization."""
    return [each for each in _foreign_keys(model) if is_organization(each.related_model)]


@cache
def organization_path(model: type[Model]) -> tuple[str, ...] | None:
    """Return a shortest path of foreign keys from a model to an organization; None without one."""
    paths: list[tuple[type[Model], tuple[str, ...]]] = [(model, ())]
    seen = {model}
    for _ in range(MAX_STEPS):
        longer = []
        for reached, path in paths:
            for link in _foreign_keys(reached):
                if is_organization(link.related_model):
                    return (*path, link.name)
                if link.related_model not in seen:
                    seen.add(link.related_model)
                    longer.append((link.related_model, (*path, link.name)))
        paths = longer
    return None


def _foreign_keys(model: type[Model]) -> list[Any]:
    fields: list[Any] = [*model._meta.concrete_fields]
    return [each for each in fields if each.is_relation and not each.remote_field.parent_link]
