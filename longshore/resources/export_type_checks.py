"""System checks of named exports."""

from collections.abc import Iterator
from typing import Any
from unicodedata import category

from django.core.checks import ERROR, CheckMessage, Error, register

from longshore.api.suggestions import did_you_mean
from longshore.database.texts import MAX_NAME_BYTES, storable
from longshore.resources.checks import check_resource
from longshore.resources.declared_types import wrong_types
from longshore.resources.disclosure import sentence
from longshore.resources.export_types import ExportType, export_types
from longshore.resources.filters import ORDER_BY, parse_options
from longshore.resources.names import MAX_RESOURCE_NAME
from longshore.resources.registry import registry
from longshore.resources.relation_checks import path_hint
from longshore.resources.timezones import UTC


@register
def check_export_types(**_: Any) -> list[CheckMessage]:
    """Return the problems of all declared named exports."""
    problems: list[CheckMessage] = []
    codes = export_types.codes()
    for export_type in (*export_types.declared, *export_types.unusable):
        try:
            texts = dict(_problems(export_type))
        except Exception as error:
            texts = {f"the declaration cannot be checked: {type(error).__name__}: {error}": None}
        if codes.count(export_type.code) > 1:
            texts["another named export has the code"] = "Choose another code."
        resource = registry.get(str(export_type.resource))
        problems += [
            Error(
                sentence(f"Named export {export_type.code!r}: {text}"),
                hint,
                resource.model if resource else None,
                "longshore_resources.E015",
            )
            for text, hint in texts.items()
        ]
    return problems


def _problems(export_type: ExportType) -> Iterator[tuple[str, str | None]]:
    """Yield the problems of a named export, each with a hint."""
    if mistyped := [(each.text, each.hint) for each in wrong_types(export_type)]:
        yield from mistyped
        return
    yield from _text_problems(export_type)
    resource = registry.get(export_type.resource)
    if resource is None:
        text = f"{export_type.resource!r} is not a resource"
        names = registry.names()
        text += did_you_mean(export_type.resource, names).removesuffix(".")
        yield text, f"Resources: {', '.join(names)}."
        return
    if any(each.level >= ERROR for each in check_resource(resource)):
        return  # Correct the resource first.
    for path in export_type.columns:
        if not resource.has_path(path):
            text = f"columns: {resource.name} has no column {path!r}"
            yield text, path_hint(resource, path, resource.names)
    options = {**export_type.options, ORDER_BY: export_type.order_by}
    ranged = {} if export_type.date is None else {export_type.date: "gte:2024-01-01"}
    dates = [name for name, column in resource.columns_by_name.items() if column.is_date]
    dates.append("None")
    for attribute, given in (("options", options), ("date", ranged)):
        for wrong in parse_options(resource, given, UTC, attribute)[1]:
            path = wrong.field.removeprefix(f"{attribute}.")
            accepted = dates if attribute == "date" else wrong.accepted
            yield f"{wrong.field}: {wrong.message.rstrip('.')}", path_hint(resource, path, accepted)


def _text_problems(export_type: ExportType) -> Iterator[tuple[str, str]]:
    """Yield the problems of the texts that people read."""
    for attribute in ("code", "name"):
        text = getattr(export_type, attribute)
        is_line = storable(text) and not {*map(category, text)} & {"Cc", "Zl", "Zp"}
        if not 0 < len(text) <= MAX_RESOURCE_NAME or not is_line or text != text.strip():
            hint = f"Write 1 to {MAX_RESOURCE_NAME} characters in one line, without spaces around."
            yield f"{attribute} {text!r} is not a valid name", hint
    headers = list(export_type.columns.values())
    if not headers:
        yield "columns is empty", "Write the header of each column: {'id': 'Id'}."
    for path, header in export_type.columns.items():
        is_long = len(header.encode(errors="replace")) > MAX_NAME_BYTES
        if is_long or not header.strip() or not storable(header):
            hint = f"Write a header of 1 to {MAX_NAME_BYTES} bytes."
            yield f"columns: the header {header!r} of {path!r} is not valid", hint
    for header in sorted({header for header in headers if headers.count(header) > 1}):
        yield f"columns: two columns have the header {header!r}", "Give one of them another header."
