"""System checks report a wrong declaration with its resource and attribute."""

from dataclasses import replace
from typing import Any

import pytest
from django.core.checks import Error, run_checks
from django.db import models
from django.urls import re_path
from pytest_django import Settings

from exports.api.views import ExportViewSet
from exports.models import Export, ExportFile
from longshore.accounts.models import ApiKey, Organization
from longshore.api.views import ApiViewSet
from longshore.domains.logistics.models import (
    Article,
    Contact,
    Fulfillment,
)
from longshore.resources.api.views import record_viewset
from longshore.resources.checks import check_resource, check_resources
from longshore.resources.columns import Column, ColumnType
from longshore.resources.named_filters import NamedFilter
from longshore.resources.registry import Registry, Resource, registry
from longshore.resources.relations import Relation
from tests.samples import APPS, SAMPLE, Sample

CONTACT = Resource("person", "people", Contact)


def test_registered_resources_pass_the_checks() -> None:
    assert check_resources() == []
    assert list(check_resource(SAMPLE)) == []
    assert list(check_resource(CONTACT)) == []


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"name": "Two Words"}, "E002", "name 'Two Words' is not a valid name"),
        ({"plural": ""}, "E002", "plural '' is not a valid name"),
        ({"name": "1st"}, "E002", "name '1st' is not a valid name"),
        ({"name": "contact\n"}, "E002", r"name 'contact\n' is not a valid name"),
        ({"organization": "owner"}, "E003", "'owner' is not a foreign key of Contact"),
        ({"organization": "name"}, "E003", "'name' is not a foreign key of Contact"),
        ({"organization": "groups"}, "E003", "'groups' is not a foreign key of Contact"),
        ({"organization": ""}, "E003", "'' is not a foreign key of Contact"),
        (
            {"organization": "organization__owner"},
            "E003",
            "'owner' is not a foreign key of Organization",
        ),
        (
            {"model": Article, "organization": "item", "date_field": "value"},
            "E004",
            "organization 'item' leads to Item, not to Organization",
        ),
        ({"date_field": "name"}, "E005", "date_field 'name' is not a date or datetime field"),
        ({"date_field": "created"}, "E005", "date_field 'created' is not a date or datetime"),
        ({"date_field": "organization_id"}, "E005", "date_field 'organization_id' is not"),
        ({"hidden": frozenset({"created_at"})}, "E005", "date_field 'created_at' is hidden"),
        ({"key": ("code",)}, "E006", "key 'code' is not a field of Contact"),
        ({"search": "words"}, "E006", "search 'words' is not a field of Contact"),
        ({"hidden": frozenset({"secret"})}, "E006", "hidden 'secret' is not a field"),
        ({"hidden": {"groups"}}, "E006", "hidden 'groups' is not a field of Contact with a column"),
        ({"key": ("id", "groups")}, "E006", "key 'groups' is not a field of Contact with a column"),
        ({"search": "groups"}, "E006", "search 'groups' is not a field of Contact with a column"),
        (
            {"columns": (Column("x", ColumnType.TEXT, "''", field="groups"),)},
            "E006",
            "columns: field of 'x': 'groups' is not a field of Contact with a column",
        ),
        (
            {
                "hidden": [each.name for each in Contact._meta.concrete_fields],
                "date_field": None,
            },
            "E006",
            "hidden: no column is shown",
        ),
        ({"relations": (Relation("friends"),)}, "E007", "relation 'friends' is not a relation of"),
        ({"relations": (Relation("name"),)}, "E007", "relation 'name' is not a relation"),
        (
            {"relations": (Relation("groups", label="title"),)},
            "E007",
            "relation 'groups': Group has no 'title'",
        ),
        (
            {"relations": (Relation("groups", fields=("id", "size")),)},
            "E007",
            "relation 'groups': Group has no 'size'",
        ),
        (
            {"columns": (Column("x", ColumnType.TEXT, "'a'"), Column("x", ColumnType.TEXT, "'b'"))},
            "E008",
            "'x' is declared twice",
        ),
        (
            {
                "relations": (Relation("groups"),),
                "columns": (Column("groups", ColumnType.TEXT, "''"),),
            },
            "E008",
            "'groups' is declared twice",
        ),
        (
            {"relations": (Relation("groups", singular="organization"),)},
            "E008",
            "'organization_id' is declared twice",
        ),
        ({"columns": (Column("limit", ColumnType.TEXT, "''"),)}, "E012", "'limit' is an option"),
        (
            {"columns": (Column("search", ColumnType.TEXT, "''"),), "search": "notes"},
            "E012",
            "'search' is an option",
        ),
        (
            {"model": Export, "hidden": frozenset()},
            "E011",
            "'request' has the type json",
        ),
        ({"includes": ("friends",)}, "E013", "'friends': 'friends' is not a relation of Contact"),
        ({"includes": ("name",)}, "E013", "'name': 'name' is not a relation of Contact"),
        ({"includes": ("",)}, "E013", "'' is not a relation of Contact"),
        ({"includes": ("groups.friends",)}, "E013", "'friends' is not a relation of Group"),
        ({"includes": ("contactgroup",)}, "E013", "ContactGroup has no resource"),
        (
            {
                "model": Fulfillment,
                "relations": (Relation("articles"),),
                "includes": ("articles.item",),
            },
            "E013",
            "include 'articles.item': the record before 'item' has no resource",
        ),
        ({"includes": ("groups.parent.parent.location",)}, "E013", "4 steps; the maximum is 3"),
        ({"includes": ("groups", "groups")}, "E013", "include 'groups' is declared twice"),
        (
            {"includes": ("groups",), "columns": (Column("groups", ColumnType.TEXT, "''"),)},
            "E013",
            "'groups' is also a column of person",
        ),
        ({"key": ("email", "phone")}, "E016", "key email, phone is not unique within"),
        ({"writable": ("id",)}, "E014", "writable 'id' is not a column of an editable field"),
        ({"writable": ("age",)}, "E014", "writable 'age' is not a column"),
        (
            {"writable_relations": ("name",)},
            "E023",
            "writable relation 'name' is not a relation of Contact",
        ),
    ],
)
def test_check_reports_a_wrong_declaration(changes: dict[str, Any], code: str, text: str) -> None:
    resource = replace(CONTACT, **changes)
    errors = [e for e in check_resource(resource) if e.id == f"longshore_resources.{code}"]
    assert len(errors) == 1
    assert errors[0].msg.startswith(f"Resource {resource.name!r}: ")
    assert text in errors[0].msg
    assert isinstance(errors[0], Error)
    assert errors[0].obj is resource.model


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"relations": (Relation("contactgroup_set"),)}, "E007"),
        ({"includes": ("contactgroup_set",)}, "E013"),
        ({"includes": ("groups.contactgroup_set",)}, "E013"),
        ({"writable_relations": ("contactgroup_set",)}, "E023"),
    ],
)
def test_check_names_the_relation_of_an_accessor(changes: dict[str, Any], code: str) -> None:
    [error] = check_resource(replace(CONTACT, **changes))
    assert error.id == f"longshore_resources.{code}"
    assert "'contactgroup_set' is not a relation of" in error.msg
    assert error.hint == "Name it 'contactgroup'."


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"name": ""}, "Write name='contact', "),
        ({"plural": " "}, "Write plural='contacts', "),
        ({"plural": "a" * 101}, f"Write plural='{'a' * 98}', "),
        ({"name": "2fa"}, "Write name='r_2fa', "),
        (
            {"columns": (Column("owner", ColumnType.TEXT, "''", field="organization_id"),)},
            "Write field='organization'.",
        ),
        ({"writable": (), "required": ("name",)}, "No field can be set: leave it out."),
        (
            {"model": Organization, "organization": None},
            "Organizations themselves cannot be a resource.",
        ),
    ],
    ids=str,
)
def test_the_hint_names_the_fix(changes: dict[str, Any], hint: str) -> None:
    hints = [str(each.hint) for each in check_resource(replace(CONTACT, **changes))]
    assert [each for each in hints if each.startswith(hint)], hints


@pytest.mark.parametrize("name", ["net-price", "2fa", "größe", "a/b"])
def test_a_name_that_requests_can_use_passes(name: str) -> None:
    columns = (Column(name, ColumnType.TEXT, "''"),)
    assert list(check_resource(replace(CONTACT, columns=columns))) == []


@pytest.mark.parametrize("name", ["", " ", "a.b", "a__b", "{a}", "a'b", 'a"b', "a,b", "a%", "-a"])
def test_a_name_that_requests_cannot_use_is_reported(name: str) -> None:
    [error] = check_resource(replace(CONTACT, columns=(Column(name, ColumnType.TEXT, "''"),)))
    assert error.id == "longshore_resources.E002"


def test_a_filter_may_use_a_column_search_of_a_resource_without_search() -> None:
    columns = (Column("search", ColumnType.TEXT, "''"),)
    filters = (NamedFilter("texts", "Any text.", paths=("search", "name")),)
    contact = replace(CONTACT, columns=columns, filters=filters)
    assert list(check_resource(contact)) == []
    assert "longshore_resources.E022" in {
        each.id for each in check_resource(replace(contact, columns=(), search="name"))
    }


def test_includes_may_follow_undeclared_relations() -> None:
    paths = ("groups.location.terminal_location", "trackers_to", "trackers_to.manifest")
    assert list(check_resource(replace(CONTACT, includes=paths))) == []


def test_check_reports_duplicate_names(own_registry: Registry) -> None:
    own_registry.register(replace(CONTACT, name="contact"))
    own_registry.register(replace(CONTACT, name="fellow", plural="shipment"))
    taken = [error.msg for error in check_resources() if error.id == "longshore_resources.E001"]
    assert taken == [
        "Resource 'contact': name: longshore_logistics.Contact already has the name 'contact'.",
        "Resource 'fellow': plural: longshore_logistics.Shipment already has the name 'shipment'.",
    ]


def test_resources_without_a_table_may_share_a_name(own_registry: Registry) -> None:
    for name in ("contact", "untabled", "untabled"):
        own_registry.register(replace(CONTACT, name=name, plural=f"{name}_all", model=models.Model))
    assert {error.id for error in check_resources()} == {"longshore_resources.E024"}


def test_django_runs_the_checks(own_registry: Registry) -> None:
    own_registry.register(replace(CONTACT, key=("code",)))
    assert [e.id for e in run_checks() if (e.id or "").startswith("longshore_resources.")] == [
        "longshore_resources.E006"
    ]


@pytest.mark.parametrize(
    "resource",
    [
        Resource(
            "api_key",
            "api_keys",
            ApiKey,
            date_field="created",
            actions=(),
            hidden=frozenset({"hashed_key"}),
        ),
        Resource(
            "export",
            "exports",
            Export,
            relations=(Relation("organization"),),
            key=("public_id",),
            actions=(),
            hidden=frozenset({"request"}),
        ),
    ],
)
def test_plain_models_pass_the_checks(resource: Resource) -> None:
    assert list(check_resource(resource)) == []


def test_path_to_the_organization_may_have_several_steps() -> None:
    file = Resource("file", "files", ExportFile, organization="export__organization")
    # ExportFile has no date field.
    assert [error.id for error in check_resource(file)] == ["longshore_resources.E005"]


def test_check_reports_a_plural_that_is_a_path_of_the_api(settings: Settings) -> None:
    taken = Resource("export", "exports", Contact)
    views: list[tuple[str, str, type[ApiViewSet[Any]]]] = [
        ("exports", "export", ExportViewSet),
        ("exports", "record-export", record_viewset(taken)),
        ("people", "record-person", record_viewset(CONTACT)),
    ]
    settings.ROOT_URLCONF = tuple(
        re_path(rf"^v1/{address}/?$", view.as_view({"get": "list"}), name=f"{name}-list")
        for address, name, view in views
    )
    [error] = check_resource(taken)
    hint = "Choose another plural, such as longshore_logistics_exports."
    assert (error.id, error.hint) == ("longshore_resources.E009", hint)
    assert "the API already uses the path /v1/exports" in error.msg
    assert list(check_resource(CONTACT)) == []


class Special(Sample):
    """A sample with a second table, by multi-table inheritance."""

    direction = models.TextField()

    class Meta:
        apps = APPS
        app_label = "tests"


def test_check_reports_reserved_column_names_of_an_inherited_model() -> None:
    special = replace(SAMPLE, name="special", plural="specials", model=Special)
    errors = list(check_resource(special))
    assert [error.id for error in errors] == ["longshore_resources.E012"]
    assert "'direction' is an option" in errors[0].msg
    assert "field_column(Special, 'direction', called='direction_value')" in str(errors[0].hint)
    assert "longshore_resources.E012" not in str(
        list(check_resource(replace(special, hidden=frozenset({"direction"}))))
    )


def test_check_reports_parts_of_the_same_model() -> None:
    group = registry.get("group")
    assert group is not None
    errors = list(check_resource(replace(group, writable_relations=("children",))))
    assert [error.id for error in errors] == ["longshore_resources.E023"]


def test_fields_without_a_value_prevent_the_creation_of_records() -> None:
    market = registry.get("market")
    assert market is not None

    def noted(**changes: Any) -> list[str]:
        found = check_resource(replace(market, **changes))
        return [each.msg for each in found if each.id == "longshore_resources.I003"]

    [message] = noted(writable=("name",))
    assert message.endswith("are not writable: code.")
    assert noted(writable=("name", "code")) == []
    # Such a batch creates nothing.
    assert noted(writable=("name",), actions=("delete",)) == []
