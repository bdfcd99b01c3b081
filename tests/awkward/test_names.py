"""Fields may have every name: aliases of statements, reserved words, odd and long columns."""

import json
from typing import Any

import pytest
from django.db import connection

from exports.execution.checks import check_statements_of
from longshore.accounts.models import Organization
from longshore.resources.checks import check_resource
from longshore.resources.filters import Selection
from longshore.resources.listing import Listing
from longshore.resources.registry import Registry, Resource
from tests.awkward.files import rows
from tests.awkward.odd_models import MODELS, NAMES, ODD, RESOURCES, Odd, OddChild

FORMATS = ("csv", "json", "parquet")
TEXTS = {name: f"a {name}" for name in NAMES}


@pytest.fixture
def odd(awkward: Registry, acme: Organization) -> Odd:
    """A record whose parent is itself, and one with rows in two tables."""
    with connection.schema_editor() as editor:
        for model in MODELS:
            editor.create_model(model)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for resource in RESOURCES:
        awkward.register(resource)
    found: Odd = Odd.objects.create(organization=acme, **TEXTS)
    Odd.objects.update(parent=found)
    return found


@pytest.mark.parametrize("header", ["record", "cells", "row", "own", "page", "preview"])
@pytest.mark.parametrize("file_format", FORMATS)
def test_a_client_may_choose_every_header(
    file_format: str, header: str, odd: Odd, acme: Organization
) -> None:
    output: dict[str, Any] = {"columns": {"user": header, "record": "x"}}
    assert rows(acme, "odd", file_format, output=output) == [{header: "a user", "x": "a record"}]


@pytest.mark.parametrize("nesting", ["merge", "repeat", "flatten"])
def test_tables_of_fields_with_the_names_of_aliases(
    nesting: str, odd: Odd, acme: Organization
) -> None:
    body = {"includes": ["parent", "found"]} if nesting == "repeat" else {}
    [row] = rows(acme, "odd", "csv", output={"properties": nesting}, **body)
    assert {name: row[name] for name in NAMES} == TEXTS


def test_objects_of_fields_with_the_names_of_aliases(odd: Odd, acme: Organization) -> None:
    [row] = rows(acme, "odd", "json", includes=["parent", "found"])
    [found] = row["found"]
    for each in (row, row["parent"], found):
        assert {name: each[name] for name in NAMES} == TEXTS
    [plain] = rows(acme, "odd", "json")
    assert plain["found"] == [plain["parent"]] == [{"id": odd.pk} | TEXTS]


def test_lists_filters_and_orders_of_fields_with_the_names_of_aliases(
    odd: Odd, acme: Organization
) -> None:
    page = Listing(ODD, Selection(), ODD.names).page(acme.pk, 1, None)
    assert json.loads(page.records[0])["parent"] == {"id": odd.pk} | TEXTS
    for name in NAMES:
        filters = {f"{name}_eq": f"a {name}", f"parent_{name}_eq": f"a {name}"}
        options = {"order_by": name, "limit": 1}
        assert rows(acme, "odd", "json", name, filters=filters, options=options)


def test_fields_with_the_names_of_aliases_in_several_tables(odd: Odd, acme: Organization) -> None:
    OddChild.objects.create(organization=acme, **TEXTS)
    [row] = rows(acme, "odd_child", "json")
    assert {name: row[name] for name in NAMES} == TEXTS


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.name)
def test_odd_names_pass_the_checks(resource: Resource, odd: Odd) -> None:
    assert [*check_resource(resource)] == []
    assert [*check_statements_of(connection, resource)] == []
