"""Fields may have every name: aliases of statements, reserved words, odd and long columns."""

import json
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict

from exports.execution.checks import check_statements_of
from longshore.accounts.models import Organization
from longshore.api.errors import InvalidInput
from longshore.resources.api.query import parse_query
from longshore.resources.checks import check_resource
from longshore.resources.columns import Column, ColumnType
from longshore.resources.filters import Selection
from longshore.resources.listing import Listing
from longshore.resources.registry import Registry, Resource
from longshore.resources.relations import Relation
from tests.awkward.files import rows
from tests.awkward.odd_models import (
    COMPUTED,
    LEAF,
    LONG,
    LONG_STEP,
    MODELS,
    NAMES,
    ODD,
    RESOURCES,
    VIEW,
    Leaf,
    Middle,
    Odd,
    OddChild,
    Top,
)

FORMATS = ("csv", "json", "parquet")
TEXTS = {name: f"a {name}" for name in NAMES}
COMPUTED_TEXTS = {name: f"a {name}" for name in COMPUTED}


@pytest.fixture
def odd(awkward: Registry, acme: Organization) -> Odd:
    """A record whose parent is itself, and one with rows in two tables."""
    with connection.schema_editor() as editor:
        for model in MODELS:
            editor.create_model(model)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(VIEW)
    for resource in RESOURCES:
        awkward.register(resource)
    found: Odd = Odd.objects.create(organization=acme, **TEXTS)
    Odd.objects.update(parent=found)
    return found


@pytest.mark.slow
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
    assert {name: row[name] for name in (*NAMES, *COMPUTED)} == TEXTS | COMPUTED_TEXTS


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
    for name in COMPUTED:
        options = {"order_by": name, "limit": 1}
        [row] = rows(
            acme, "odd", "json", name, filters={f"{name}_eq": f"a {name}"}, options=options
        )
        assert row == {name: f"a {name}"}


def test_fields_with_the_names_of_aliases_in_several_tables(odd: Odd, acme: Organization) -> None:
    OddChild.objects.create(organization=acme, **TEXTS)
    [row] = rows(acme, "odd_child", "json")
    assert {name: row[name] for name in NAMES} == TEXTS


def test_a_column_with_a_percent_sign(odd: Odd, acme: Organization) -> None:
    filters = {"share_eq": "a record", "share_start": "a"}
    body = {"filters": filters, "options": {"order_by": "share", "limit": 1, "search": "rec"}}
    [row] = rows(acme, "percent", "json", **body)
    assert row["share"] == "a record"


@pytest.mark.slow
@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.name)
def test_odd_names_pass_the_checks(resource: Resource, odd: Odd) -> None:
    assert [*check_resource(resource)] == []
    assert [*check_statements_of(connection, resource)] == []


def test_a_path_of_long_names_leads_to_the_own_organization(
    odd: Odd, acme: Organization, globex: Organization
) -> None:
    [link] = [each for each in Leaf._meta.fields if each.is_relation]
    for organization in (acme, globex):
        top = Top.objects.create(organization=organization)
        Leaf.objects.create(**{link.name: Middle.objects.create(top=top)})
    [leaf] = rows(acme, "leaf", "json")
    assert Middle.objects.get(pk=leaf[link.attname]).top.organization == acme


@pytest.mark.parametrize(
    ("resource", "text"),
    [
        (
            replace(ODD, columns=(Column("c" * 55, ColumnType.TEXT, "'a'"),)),
            f"the column '{'c' * 55}' has a name of more than 54 bytes",
        ),
        (
            replace(LEAF, relations=(Relation(LONG_STEP, label="id", fields=("id",)),)),
            f"the relation '{LONG_STEP}' has a name of more than 53 bytes",
        ),
    ],
)
def test_check_reports_names_that_the_database_would_cut(
    resource: Resource, text: str, awkward: Registry
) -> None:
    found = [each for each in check_resource(resource) if each.id == "longshore_resources.E032"]
    assert [text in each.msg for each in found] == [True]


def test_a_list_refuses_a_path_that_the_database_would_cut() -> None:
    query = QueryDict(mutable=True)
    query["fields"] = f"parent.{LONG}"
    with pytest.raises(InvalidInput, match="has more than 63 bytes"):
        parse_query(ODD, query, "UTC")
