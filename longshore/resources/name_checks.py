"""System checks of the names in a declaration: each is valid and has one meaning."""

import re
from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage
from django.urls import NoReverseMatch, Resolver404, get_script_prefix, resolve, reverse
from django.utils.text import camel_case_to_spaces

from longshore.resources.conditions import SEARCH
from longshore.resources.disclosure import problem
from longshore.resources.filters import DIRECTION, LIMIT, ORDER_BY
from longshore.resources.names import MAX_RESOURCE_NAME, is_resource_name, plural_of, proposed_name
from longshore.resources.registry import Resource

# In requests, statements and files, these separate names, or quote or format them.
_SEPARATOR = re.compile(r"""[\s.,:%{}\[\]"'`\\\x00-\x1f\x7f-\x9f]|__|\A-|\A\Z""")


def check_address(resource: Resource) -> Iterator[CheckMessage]:
    """Check the name and the plural, and the address of the list that has them."""
    wrong = False
    for attribute in ("name", "plural"):
        value = getattr(resource, attribute)
        if not is_resource_name(value):
            wrong = True
            text = f"{attribute} {value!r} is not a valid name"
            hint = (
                f"Write {attribute}={_proposed(resource, attribute)!r}, or another name of 1 to "
                f"{MAX_RESOURCE_NAME} lower-case letters, digits and underscores that begins with "
                "a letter."
            )
            yield problem(resource, text, "longshore_resources.E002", hint)
    if wrong:
        return
    try:
        path = f"/{reverse(f'record-{resource.name}-list').removeprefix(get_script_prefix())}"
    except NoReverseMatch:  # The project serves no lists.
        return
    if is_taken(path):
        text = f"plural {resource.plural!r}: the API already uses the path {path}"
        hint = f"Choose another plural, such as {resource.model._meta.app_label}_{resource.plural}."
        yield problem(resource, text, "longshore_resources.E009", hint)


def _proposed(resource: Resource, attribute: str) -> str:
    """Return a valid name that resembles the given one, or that of the model."""
    value = getattr(resource, attribute)
    if any(each.isascii() and each.isalnum() for each in value):
        return proposed_name(value)
    name = proposed_name(camel_case_to_spaces(resource.model.__name__))
    return name if attribute == "name" else plural_of(name)


def is_taken(path: str) -> bool:
    """Return whether another view than a list of records has a path of the project."""
    view = view_at(path)
    return view is not None and not hasattr(getattr(view, "cls", None), "resource")


def view_at(path: str) -> Any:
    """Return the view of a path of the project; None without one."""
    try:
        return resolve(path).func
    except Resolver404:
        return None


def check_declared_names(resource: Resource) -> Iterator[CheckMessage]:
    """Check the names that the resource gives to columns and filters."""
    named = [("columns", each.name) for each in resource.columns]
    named += [("filters", each.name) for each in resource.filters]
    named += [
        (f"singular of the relation {each.name!r}", each.singular)
        for each in resource.relations
        if each.singular is not None
    ]
    for kind, name in named:
        if _SEPARATOR.search(name):
            text = f"{kind}: {name!r} is not a valid name"
            hint = "Write letters, digits, single underscores, and hyphens except at the start."
            yield problem(resource, text, "longshore_resources.E002", hint)


def check_declared_once(resource: Resource) -> Iterator[CheckMessage]:
    """Check that no name has two meanings."""
    fields = resource.model._meta.concrete_fields
    hidden = resource.hidden_fields
    shown = {each.attname for each in fields if not hidden & {each.name, each.attname}}
    declared = [("columns", each.name) for each in resource.columns]
    declared += [("relations", each.name) for each in resource.relations]
    others = [("relations", f"{each.singular}_id") for each in resource.relations if each.singular]
    others += [("filters", each.name) for each in resource.filters]
    # A column may replace that of a field with its name.
    of_fields = [("model", name) for _, name in others if name in shown]
    owners: dict[str, list[str]] = {}
    for attribute, name in (*declared, *others, *of_fields):
        owners.setdefault(name, []).append(attribute)
    for name in sorted(name for name, attributes in owners.items() if len(attributes) > 1):
        text = f"{', '.join(dict.fromkeys(owners[name]))}: {name!r} is declared twice"
        hint = "Give one of them another name, or remove it."
        yield problem(resource, text, "longshore_resources.E008", hint)
    for name in option_names(resource):
        if name in owners or name in shown:
            attributes = ", ".join(dict.fromkeys(owners.get(name, ["model"])))
            text = f"{attributes}: {name!r} is an option of every request "
            text += "and cannot be the name of a filter"
            hint = "Give it another name."
            if name in shown:
                model = resource.model.__name__
                hint = (
                    f"Give the field another name in requests: hidden=frozenset({{{name!r}}}), "
                    f"columns=(field_column({model}, {name!r}, called={f'{name}_value'!r}),)."
                )
            yield problem(resource, text, "longshore_resources.E012", hint)


def option_names(resource: Resource) -> list[str]:
    """Return the names that are options of every request, so no filters."""
    return [LIMIT, ORDER_BY, DIRECTION, *([SEARCH] if resource.search else [])]
