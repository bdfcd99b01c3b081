"""What the templates of the builder show of a state."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.template.defaultfilters import filesizeformat

from exports.admin.builder import snippets
from exports.admin.builder.bodies import body_of
from exports.admin.builder.columns import chosen_columns, offered_columns, resource_of
from exports.admin.builder.file_tiles import FILE_TILES
from exports.admin.builder.filter_views import offered_filters, shown_filters
from exports.admin.builder.posted import (
    DELIMITERS,
    LINE_ENDS,
    RESOURCE_PREFIX,
    TYPE_PREFIX,
    source_of,
)
from exports.admin.builder.previews import Result, example_of
from exports.admin.builder.related import related_nodes
from exports.admin.builder.state import State
from exports.formats import formats
from exports.models import ExportPreset
from exports.request.body import PRESET
from exports.request.file_presets import FilePreset
from exports.spec import Nesting
from longshore.accounts import staff
from longshore.accounts.admin.organization_choice import OrganizationChoice
from longshore.accounts.models import Organization
from longshore.files.compression import Compression
from longshore.jobs.admin.presentation import json_text, resource_label
from longshore.resources.export_types import export_types
from longshore.resources.registry import registry
from longshore.resources.timezones import TIMEZONES

MAX_PRESETS = 200
_UTC = "UTC"
_PRESET_LABELS = {"": "Default", FilePreset.ISO: "Programs", FilePreset.EXCEL: "Excel"}
_FORMAT_LABELS = {
    "csv": "CSV",
    "json": "JSON",
    "jsonl": "JSON lines",
    "parquet": "Parquet",
    "xlsx": "Excel workbook (XLSX)",
}
_DELIMITER_LABELS = {
    "comma": "Comma ,",
    "semicolon": "Semicolon ;",
    "tab": "Tab",
    "bar": "Vertical bar |",
}
_LINE_END_LABELS = {"lf": "LF (Unix)", "crlf": "CR LF (Windows)"}
_NESTING_LABELS = {
    Nesting.MERGE: "In one cell",
    Nesting.FLATTEN: "In a column each",
    Nesting.REPEAT: "In a row each",
}
_PATTERNS = (
    "yyyy-MM-dd HH:mm:ss",
    "yyyy-MM-dd",
    "dd.MM.yyyy HH:mm",
    "MM/dd/yyyy hh:mm:ss a",
    "d MMM yyyy",
    "EEEE, d MMMM yyyy",
)


@dataclass(frozen=True)
class Choice:
    """An option of a select."""

    value: str
    label: str
    is_chosen: bool


def presets_of(user: staff.Person) -> QuerySet[ExportPreset]:
    """Return the presets that a person may use: own ones, and shared ones."""
    usable = ExportPreset.objects.filter(Q(owner_id=user.pk) | Q(is_shared=True))
    return staff.restrict(usable, user).select_related("organization", "owner")


def form_context(
    user: staff.Person, state: State, organization: Organization | None
) -> dict[str, Any]:
    """Return the context of the form without the preview."""
    resource = resource_of(state)
    columns, filter_groups = chosen_columns(state), offered_filters(state)
    return {
        "state": state,
        "organization_form": OrganizationChoice(
            user, organization, "admin:exports_export_build_organizations"
        ),
        "resources": _resource_choices(state),
        "types": _type_choices(state),
        "resource": resource,
        "date_column": _date_column(state),
        "columns": columns,
        "has_default_columns": state.columns is None,
        "chosen_paths": {each.path for each in columns},
        "offered_columns": list(offered_columns(resource)) if resource else [],
        "filters": list(shown_filters(state, filter_groups)),
        "offered_filters": filter_groups,
        "order": _order_rows(state),
        "related": list(related_nodes(resource, state)) if resource else [],
        **_file_context(state, organization),
    }


def result_context(
    state: State, organization: Organization | None, result: Result, api_url: str
) -> dict[str, Any]:
    """Return the context of the preview, and of the texts that change with each edit."""
    body = body_of(state)
    found = result.preview
    zone = str(state.values.get("timezone") or (organization.timezone if organization else _UTC))
    context: dict[str, Any] = {
        "result": result,
        "json": json_text(body),
        "curl": snippets.curl(api_url, body),
        "python": snippets.python(api_url, body),
        "pattern_example": example_of(zone, _pattern(state)),
        "zone": zone,
        "has_columns": resource_of(state) is not None,
        "column_count": len(chosen_columns(state)),
    }
    if found:
        about = "about " if found.records_count_is_estimate else ""
        size = found.estimated_bytes
        context["figures"] = (
            ("Rows", f"{about}{found.records_count:,}"),
            ("Size", "unknown" if size is None else f"about {filesizeformat(size)}"),
            ("Time", _duration(found.estimated_seconds)),
        )
    return context


def _pattern(state: State) -> str | None:
    pattern = state.values.get("datetime_format")
    return str(pattern) if pattern else None


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    return f"about {round(seconds / 60)} min"


def _resource_choices(state: State) -> list[Choice]:
    source = source_of(state)
    found = []
    for resource in registry:
        value = f"{RESOURCE_PREFIX}{resource.name}"
        found.append(Choice(value, resource_label(resource.name), value == source))
    return sorted(found, key=lambda each: each.label)


def _type_choices(state: State) -> list[Choice]:
    source = source_of(state)
    values = ((f"{TYPE_PREFIX}{each.code}", each.name) for each in export_types.declared)
    return [Choice(value, name, value == source) for value, name in values]


def _date_column(state: State) -> str:
    if named := export_types.by_code.get(state.type):
        return named.date or ""
    resource = resource_of(state)
    return (resource.date_field if resource else None) or ""


@dataclass(frozen=True)
class OrderRow:
    """A column to sort by."""

    choices: Sequence[Choice]
    is_descending: bool


def _order_rows(state: State) -> list[OrderRow]:
    resource = resource_of(state)
    columns = resource.columns_by_name.items() if resource else ()
    names = [name for name, column in columns if column.kind.sortable]
    rows = []
    for each in state.order:
        chosen = each.removeprefix("-")
        known = names if chosen in names else [*names, chosen]
        choices = [Choice(name, name, name == chosen) for name in known]
        rows.append(OrderRow(choices, each.startswith("-")))
    return rows


def _file_context(state: State, organization: Organization | None) -> dict[str, Any]:
    values = state.values
    chosen = formats.get(str(values.get("format")))
    return {
        "file_tiles": [
            (each, all(values.get(name) == value for name, value in each.values.items()))
            for each in FILE_TILES
        ],
        "formats": _choices(values.get("format"), {n: _FORMAT_LABELS.get(n, n) for n in formats}),
        "compressions": _choices(
            values.get("compression"), {each.value: each.value for each in Compression}
        ),
        "compressed_inside": chosen.compressed_inside if chosen else None,
        "format_options": chosen.options if chosen else frozenset(),
        "nestings": _choices(values.get("properties"), _NESTING_LABELS),
        "delimiters": _choices(_named(DELIMITERS, values["delimiter"]), _DELIMITER_LABELS),
        "line_ends": _choices(_named(LINE_ENDS, values["line_end"]), _LINE_END_LABELS),
        "quotings": _choices(
            values.get("quoting"), {"minimal": "Only where needed", "all": "All cells"}
        ),
        "decimal_separators": _choices(
            values.get("decimal_separator"), {".": "Point", ",": "Comma"}
        ),
        "csv_presets": _choices(values.get(PRESET) or "", _PRESET_LABELS),
        "zones": sorted(TIMEZONES),
        "default_zone": organization.timezone if organization else "",
        "patterns": _PATTERNS,
    }


def _named(names: dict[str, str], value: object) -> str:
    """Return the name of a value, such as `comma` for `,`; "" for another value."""
    return next((name for name, each in names.items() if each == value), "")


def _choices(chosen: object, labels: dict[Any, str]) -> list[Choice]:
    return [Choice(str(value), label, str(value) == chosen) for value, label in labels.items()]
