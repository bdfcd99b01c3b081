"""System checks: a wrong declaration is named with its resource and its attribute."""

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.contenttypes.fields import GenericRelation
from django.core.checks import Error, run_checks
from django.db import models
from django.urls import re_path
from pytest_django import Settings

from exports.api.views import ExportViewSet
from exports.models import Export, ExportFile
from longshore.accounts.models import ApiKey
from longshore.api.views import ApiViewSet
from longshore.domains.logistics.models import (
    Article,
    Contact,
    Fulfillment,
    Group,
)
from longshore.resources.api.views import RecordViewSet
from longshore.resources.checks import check_resource, check_resources
from longshore.resources.columns import Column, ColumnType
from longshore.resources.registry import Registry, Resource
from longshore.resources.relations import Relation
from tests.samples import APPS, SAMPLE, Sample

CONTACT = Resource("person", "people", Contact)


def test_nothing_is_wrong_with_what_is_declared() -> None:
    assert check_resources() == []
    assert list(check_resource(SAMPLE)) == []
    assert list(check_resource(CONTACT)) == []


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"name": "Two Words"}, "E002", "name 'Two Words' must be lower case letters"),
        ({"plural": ""}, "E002", "plural '' must be"),
        ({"name": "1st"}, "E002", "name '1st' must be"),
        ({"name": "contact\n"}, "E002", r"name 'contact\n' must be"),
        ({"organization": "owner"}, "E003", "'owner' is no foreign key of Contact"),
        ({"organization": "name"}, "E003", "'name' is no foreign key of Contact"),
        ({"organization": "groups"}, "E003", "'groups' is no foreign key of Contact"),
        ({"organization": ""}, "E003", "'' is no foreign key of Contact"),
        (
            {"organization": "organization__owner"},
            "E003",
            "'owner' is no foreign key of Organization",
        ),
        (
            {"model": Article, "organization": "item", "date_field": "value"},
            "E004",
            "organization 'item' leads to Item, not to Organization",
        ),
        ({"date_field": "name"}, "E005", "date_field 'name' is no date or datetime field"),
        ({"date_field": "created"}, "E005", "date_field 'created' is no date or datetime"),
        ({"date_field": "organization_id"}, "E005", "date_field 'organization_id' is no"),
        ({"hidden": frozenset({"created_at"})}, "E005", "date_field 'created_at' is hidden"),
        ({"key": ("code",)}, "E006", "key 'code' is no field of Contact"),
        ({"search": "words"}, "E006", "search 'words' is no field of Contact"),
        ({"hidden": frozenset({"secret"})}, "E006", "hidden 'secret' is no field"),
        ({"relations": (Relation("friends"),)}, "E007", "relation 'friends' is no relation of"),
        ({"relations": (Relation("name"),)}, "E007", "relation 'name' is no relation of Contact"),
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
        ({"columns": (Column("limit", ColumnType.TEXT, "''"),)}, "E012", "filtered by 'limit'"),
        (
            {"columns": (Column("search", ColumnType.TEXT, "''"),), "search": "notes"},
            "E012",
            "filtered by 'search'",
        ),
        (
            {"model": Export, "hidden": frozenset()},
            "E011",
            "'request' is of the type json",
        ),
        ({"includes": ("friends",)}, "E013", "'friends': 'friends' is no relation of Contact"),
        ({"includes": ("name",)}, "E013", "'name': 'name' is no relation of Contact"),
        ({"includes": ("",)}, "E013", "'' is no relation of Contact"),
        ({"includes": ("groups.friends",)}, "E013", "'friends' is no relation of Group"),
        ({"includes": ("contactgroup",)}, "E013", "ContactGroup is no resource"),
        (
            {
                "model": Fulfillment,
                "relations": (Relation("articles"),),
                "includes": ("articles.item",),
            },
            "E013",
            "include 'articles.item': 'item' is of no resource",
        ),
        ({"includes": ("groups.parent.parent.location",)}, "E013", "4 steps, of which there may"),
        ({"includes": ("groups", "groups")}, "E013", "include 'groups' is declared twice"),
        (
            {"includes": ("groups",), "columns": (Column("groups", ColumnType.TEXT, "''"),)},
            "E013",
            "'groups' is a column of person too",
        ),
        ({"key": ("email", "phone")}, "E016", "may be alike in their key email, phone"),
        ({"writable": ("id",)}, "E014", "writable 'id' is no column of an editable field"),
        ({"writable": ("age",)}, "E014", "writable 'age' is no column"),
    ],
)
def test_each_mistake_is_named(changes: dict[str, Any], code: str, text: str) -> None:
    resource = replace(CONTACT, **changes)
    errors = [e for e in check_resource(resource) if e.id == f"resources.{code}"]
    assert len(errors) == 1
    assert errors[0].msg.startswith(f"Resource {resource.name!r}: ")
    assert text in errors[0].msg
    assert isinstance(errors[0], Error)
    assert errors[0].obj is resource.model


def test_includes_follow_relations_that_are_not_declared_too() -> None:
    paths = ("groups.location.terminal_location", "trackers_to", "trackers_to.manifest")
    assert list(check_resource(replace(CONTACT, includes=paths))) == []


def test_a_name_that_is_taken_is_named(own_registry: Registry) -> None:
    own_registry.register(replace(CONTACT, name="contact"))
    own_registry.register(replace(CONTACT, name="fellow", plural="shipment"))
    taken = [error.msg for error in check_resources() if error.id == "resources.E001"]
    assert taken == [
        "Resource 'contact': the name 'contact' is taken.",
        "Resource 'fellow': the name 'shipment' is taken.",
    ]


def test_django_runs_the_checks(own_registry: Registry) -> None:
    own_registry.register(replace(CONTACT, key=("code",)))
    assert [e.id for e in run_checks() if (e.id or "").startswith("resources.")] == [
        "resources.E006"
    ]


def test_a_generic_relation_cannot_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    generic = GenericRelation(Group)
    generic.set_attributes_from_name("notes_of")
    monkeypatch.setattr(Sample._meta, "get_field", lambda name: generic)
    monkeypatch.setattr(generic, "related_model", Group)
    errors = list(check_resource(replace(SAMPLE, relations=(Relation("notes_of"),))))
    assert "relation 'notes_of' is no relation of Sample" in str(errors)


@pytest.mark.parametrize(
    "resource",
    [
        Resource(
            "api_key", "api_keys", ApiKey, date_field="created", hidden=frozenset({"hashed_key"})
        ),
        Resource(
            "export",
            "exports",
            Export,
            relations=(Relation("organization"),),
            key=("public_id",),
            hidden=frozenset({"request"}),
        ),
    ],
)
def test_plain_models_are_declared_without_a_complaint(resource: Resource) -> None:
    assert list(check_resource(resource)) == []


def test_an_organization_may_be_several_steps_away() -> None:
    file = Resource("file", "files", ExportFile, organization="export__organization")
    # A file has no date of its own.
    assert [error.id for error in check_resource(file)] == ["resources.E005"]


def test_a_plural_that_is_an_address_already_is_named(settings: Settings) -> None:
    taken = Resource("export", "exports", Contact)
    views: list[tuple[str, str, type[ApiViewSet[Any]]]] = [
        ("exports", "export", ExportViewSet),
        ("exports", "record-export", RecordViewSet.of(taken)),
        ("people", "record-person", RecordViewSet.of(CONTACT)),
    ]
    settings.ROOT_URLCONF = tuple(
        re_path(rf"^v1/{address}/?$", view.as_view({"get": "list"}), name=f"{name}-list")
        for address, name, view in views
    )
    [error] = check_resource(taken)
    assert error.id == "resources.E009"
    assert "/v1/exports is an address of the API already" in error.msg
    assert list(check_resource(CONTACT)) == []


class Special(Sample):
    """A sample with a table of its own beside its parent's."""

    direction = models.TextField()

    class Meta:
        apps = APPS
        app_label = "tests"


def test_a_model_in_two_tables_and_a_column_that_no_filter_reaches_are_named() -> None:
    special = replace(SAMPLE, name="special", plural="specials", model=Special)
    errors = list(check_resource(special))
    assert {error.id for error in errors} == {"resources.E010", "resources.E012"}
    assert "'id' is in the table of the parent model Sample" in errors[0].msg
    assert "nothing can be filtered by 'direction'" in errors[-1].msg
    assert "resources.E012" not in str(
        list(check_resource(replace(special, hidden=frozenset({"direction"}))))
    )
