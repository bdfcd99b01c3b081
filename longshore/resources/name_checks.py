"""System checks of the names in a declaration: are they valid, and does each have one meaning."""

from collections.abc import Iterator

from django.core.checks import CheckMessage
from django.urls import NoReverseMatch, Resolver404, get_script_prefix, resolve, reverse

from longshore.resources.conditions import SEARCH
from longshore.resources.disclosure import problem
from longshore.resources.filters import DIRECTION, LIMIT, ORDER_BY
from longshore.resources.names import MAX_RESOURCE_NAME, is_resource_name, proposed_name
from longshore.resources.registry import Resource


def check_address(resource: Resource) -> Iterator[CheckMessage]:
    """Check the name and the plural, and the address of the list that has them."""
    wrong = False
    for attribute in ("name", "plural"):
        value = getattr(resource, attribute)
        if not is_resource_name(value):
            wrong = True
            text = f"{attribute} {value!r} must be lower-case letters, digits and underscores"
            proposed = proposed_name(value or resource.model.__name__)
            hint = f"Write {attribute}={proposed!r}, or another name of 1 to {MAX_RESOURCE_NAME} "
            hint += "of these characters that begins with a letter."
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


def is_taken(path: str) -> bool:
    """Return whether another view than a list of records has a path of the project."""
    try:
        view = getattr(resolve(path).func, "cls", None)
    except Resolver404:
        return False
    return not hasattr(view, "resource")


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
        if not name.isidentifier():
            text = f"{kind}: {name!r} is not a valid name"
            hint = "Write letters, digits and underscores, and no digit at the beginning."
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
    options = [LIMIT, ORDER_BY, DIRECTION, *([SEARCH] if resource.search else [])]
    for name in options:
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
