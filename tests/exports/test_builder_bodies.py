"""The builder's form state is an exact copy of a request: every request survives the round trip."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template.loader import render_to_string

from exports.admin.builder.bodies import body_of, state_of
from exports.admin.builder.file_tiles import FILE_TILES, FileTile
from exports.admin.builder.page import form_context
from exports.admin.builder.posted import apply, read_state
from exports.request.parser import parse_export
from exports.spec import ExportSpec
from longshore.accounts.models import Organization
from longshore.files.csv_dialect import CsvDialect
from longshore.resources.export_types import export_types
from longshore.resources.request_examples import request_examples
from tests.forms import posted

pytestmark = pytest.mark.django_db
REQUESTS = sorted((Path(__file__).parent / "requests").glob("*.json"))
# Parts of the filter languages that the examples do not have.
SPECIAL: dict[str, dict[str, Any]] = {
    "text or list": {"resource": "contact", "options": {"name": "Smith, John"}},
    "list": {"resource": "contact", "options": {"name": ["Smith, John", 'a "b"', "c"]}},
    "negation": {"resource": "shipment", "options": {"status": "not_in:lost,canceled"}},
    "null": {"resource": "contact", "options": {"email": None, "phone": "is_not_null"}},
    "between": {"resource": "shipment", "options": {"amount": "bwi:1,900"}},
    "epoch": {"resource": "shipment", "options": {"created_at": "bwi:1732993200000,1734548400000"}},
    "whole JSON": {"resource": "contact", "options": {"metadata": {"a": [1, "b"]}}},
    "inside JSON": {"resource": "contact", "options": {'metadata.a."b.c"': "not_equals:5"}},
    "relation": {
        "resource": "contact",
        "options": {"group_id": "grp_1,grp_2", "location.name": "x"},
    },
    "named filter": {"resource": "item", "options": {"include_zero_inventory": False}},
    "search": {"resource": "contact", "options": {"search": "Jo, Ann"}},
    "plural": {"resource": "shipment", "options": {"statuses": "lost,canceled"}},
    "flags": {"resource": "contact", "filters": {"email_null": False, "is_primary_true": "0"}},
    "patterns": {
        "resource": "contact",
        "filters": {"name_or_email_cont_any": ["a,b", "c"], "groups_location_name_not_start": "X"},
    },
    "jcont": {"resource": "contact", "filters": {"metadata_jcont": {"a": True}}},
    "order": {
        "resource": "contact",
        "options": {"order_by": "-name,id", "direction": "desc", "limit": "10"},
    },
    "direction only": {"resource": "contact", "options": {"direction": "desc"}},
    "range": {"resource": "shipment", "date_from": "2025-01-01", "date_to": "2025-01-31T23:59:59Z"},
    "left out": {
        "resource": "contact",
        "csv_field_options": {"columns": {"id": True, "name": False}},
    },
    "order only": {"resource": "contact", "csv_field_options": {"column_order": ["name"]}},
    "includes": {
        "resource": "contact",
        "format": "jsonl",
        "includes": ["groups.location", "locations"],
    },
    "fields and includes": {
        "resource": "contact",
        "format": "json",
        "fields": ["*", "groups.location.name"],
        "includes": ["groups", "locations"],
    },
    "included in full": {"resource": "contact", "fields": ["name", "groups.*"]},
    "only one field": {"resource": "contact", "format": "json", "fields": ["groups.name", "id"]},
    **{
        f"preset {number}": {**source, "csv_field_options": options}
        for number, (source, options) in enumerate(
            (source, {"preset": preset, **options})
            for source in ({"resource": "contact"}, {"type": "order_list"})
            for preset in (None, "iso", "excel")
            for options in (
                {"bom": False},
                {"bom": True, "line_end": "\n"},
                {"decimal_separator": ",", "delimiter": ","},
                {"delimiter": ";", "datetime_format": "dd.MM.yyyy"},
            )
        )
    },
    "named workbook": {"type": "order_list", "format": "xlsx"},
    "dry": {"resource": "contact", "format": "json", "dry_data": True},
    "file": {
        "resource": "contact",
        "format": "csv",
        "compression": "zstd",
        "max_rows_per_file": 10,
        "empty": "error",
        "dedupe": True,
        "metadata": {"b": 1, "a": ["x"]},
        "csv_field_options": {
            "delimiter": "\t",
            "line_end": "\r\n",
            "bom": True,
            "quoting": "all",
            "escape_formulas": False,
            "include_header": False,
            "timezone": "Europe/Berlin",
            "datetime_format": "dd.MM.yyyy",
            "properties": "flatten",
        },
    },
}
BODIES: dict[str, Mapping[str, Any]] = {
    **{f"type {each.code}": {"type": each.code} for each in export_types.declared},
    **{f"example {each.title}": each.body for each in request_examples},
    **{path.stem: json.loads(path.read_text()) for path in REQUESTS},
    **SPECIAL,
}


def spec_of(body: Mapping[str, Any]) -> ExportSpec:
    """Return the spec of a body; its conditions in an order that does not depend on spelling."""
    spec = parse_export(body)
    conditions = tuple(sorted(spec.selection.conditions, key=repr))
    return replace(spec, selection=replace(spec.selection, conditions=conditions))


@pytest.mark.parametrize("name", BODIES)
def test_a_request_that_the_form_shows_selects_the_same(name: str) -> None:
    body = BODIES[name]
    assert spec_of(body_of(state_of(body))) == spec_of(body)


def test_the_body_has_an_option_that_differs_from_the_preset() -> None:
    body = {"resource": "contact", "csv_field_options": {"bom": False, "preset": "excel"}}
    assert body_of(state_of(body)) == body


@pytest.mark.parametrize("source", [{"resource": "contact"}, {"type": "order_list"}])
@pytest.mark.parametrize("earlier", ["excel", "excel_semicolon", "csv", "parquet"])
@pytest.mark.parametrize("tile", FILE_TILES, ids=lambda tile: tile.name)
def test_a_tile_writes_the_file_that_it_names(
    source: Mapping[str, str], earlier: str, tile: FileTile
) -> None:
    state = apply(apply(state_of(source), f"file:{earlier}"), f"file:{tile.name}")
    spec = parse_export(body_of(state))
    assert spec.format == tile.values["format"]
    found = (spec.dialect, spec.datetime_format)
    pattern = "yyyy-MM-dd HH:mm:ss"
    excel = CsvDialect(bom=True, line_end="\r\n", keeps_texts=True)
    comma = replace(excel, delimiter=";", decimal_separator=",")
    expected = {"excel_comma": (excel, pattern), "excel_semicolon": (comma, pattern)}
    assert spec.format != "csv" or found == expected.get(tile.name, (CsvDialect(), None))
    assert spec.format != "xlsx" or spec.datetime_format is None


def test_a_change_of_the_source_or_the_preset_changes_its_options_only() -> None:
    state = state_of({"resource": "contact", "csv_field_options": {"delimiter": "\t"}})
    named = apply(replace(state, resource="", type="order_list"), "source")
    assert body_of(named) == {"type": "order_list", "csv_field_options": {"delimiter": "\t"}}
    excel = replace(state, values={**state.values, "preset": "excel", "decimal_separator": ","})
    chosen = {"preset": "excel", "decimal_separator": ",", "delimiter": "\t"}
    assert body_of(apply(excel, "preset"))["csv_field_options"] == chosen


@pytest.mark.slow
@pytest.mark.parametrize("name", BODIES)
def test_a_request_that_the_form_shows_and_posts_is_the_same(name: str, acme: Organization) -> None:
    state = state_of(BODIES[name])
    context = form_context(AnonymousUser(), state, acme)
    html = render_to_string("admin/exports/builder/form.html", context)
    assert spec_of(body_of(read_state(posted(html)))) == spec_of(BODIES[name])
