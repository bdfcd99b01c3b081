"""The declarations of awkward models pass the checks, and wrong ones are reported, not failing."""

from dataclasses import replace
from typing import Any

import pytest

from longshore.resources.checks import check_resource
from longshore.resources.columns import Column, ColumnType
from longshore.resources.export_type_checks import check_export_types
from longshore.resources.export_types import ExportType, ExportTypes
from longshore.resources.filters import parse_options
from longshore.resources.registry import Registry, Resource
from longshore.resources.relations import Relation
from longshore.resources.timezones import UTC
from longshore.resources.writing import Rule
from tests.awkward.batch_models import Member
from tests.awkward.models import (
    COUNTRY,
    DISH,
    INVOICE,
    NOTED,
    PLACE,
    RESOURCES,
    TICKET,
    TYPED,
    Note,
    Seat,
)


@pytest.mark.slow
@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.name)
def test_awkward_models_pass_the_checks(resource: Resource, awkward: None) -> None:
    expected = ["longshore_resources.I001"] if resource is COUNTRY else []
    assert [each.id for each in check_resource(resource)] == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("resource", "changes", "code", "text"),
    [
        (
            NOTED,
            {"model": Note, "organization": "content_object"},
            "E003",
            "'content_object'",
        ),
        (NOTED, {"organization": None}, "E025", "each Noted belongs to an organization"),
        (NOTED, {"relations": (Relation("notes"),)}, "E007", "relation 'notes' is not a relation"),
        (NOTED, {"hidden": frozenset()}, "E012", "'limit' is an option of every request"),
        (PLACE, {"where": None}, "E018", "the default manager of Place hides rows"),
        (PLACE, {"model": Seat}, "E024", "Seat has a composite primary key"),
        (PLACE, {"relations": (Relation("seats"),)}, "E024", "relation 'seats': Seat has a comp"),
        (PLACE, {"writable": ("deleted",)}, "E014", "writable 'deleted' is not a column"),
        (INVOICE, {"writable": ("issued",)}, "W002", "key 'number' is not a column that a batch"),
        (PLACE, {"actions": ("upsert",)}, "E014", "'upsert' is not an action"),
        (DISH, {"columns": (Column("x", ColumnType.TEXT, "{rows}.x"),)}, "E026", "'{rows}.x'"),
        (TYPED, {"search": "blob_size"}, "E006", "search 'blob_size' is not a field of Typed"),
        (TYPED, {"search": "flags"}, "E030", "search 'flags' is not a text field"),
        (TYPED, {"search": "password"}, "E030", "search 'password' is a hidden field, whose"),
        (PLACE, {"search": "name", "hidden": ["name"]}, "E030", "search 'name' is a hidden"),
        (
            DISH,
            {"rules": (Rule("true", "Too hot.", "heat"),)},
            "E031",
            "rule 'Too hot.': 'heat' is",
        ),
        (TICKET, {"organization": "team"}, "E004", "leads to Team, not to Organization"),
    ],
)
def test_wrong_declarations_are_reported(
    resource: Resource, changes: dict[str, Any], code: str, text: str, awkward: None
) -> None:
    found = list(check_resource(replace(resource, **changes)))
    matching = [each for each in found if each.id == f"longshore_resources.{code}"]
    assert matching, found
    assert text in matching[0].msg


@pytest.mark.parametrize("field", ["flags", "password"])
def test_search_never_reads_a_hidden_field_or_another_type(field: str) -> None:
    _, problems = parse_options(replace(TYPED, search=field), {"search": "hash"}, UTC)
    assert [each.message for each in problems] == ["typed has no filter 'search'."]


def test_relation_to_an_owned_model_without_a_resource_is_an_error(awkward: Registry) -> None:
    awkward.unregister("bistro")
    owned, hiding = check_resource(replace(DISH, includes=()))
    assert owned.id == "longshore_resources.E019"
    assert "organization='organization'" in str(owned.hint)
    assert hiding.id == "longshore_resources.E018"


def test_hint_of_a_named_export_names_the_field_to_add(
    awkward: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    types = ExportTypes()
    monkeypatch.setattr("longshore.resources.export_type_checks.export_types", types)
    types.register(ExportType("x", "X", "dish", {"bistro.chef": "Chef"}, None, "name"))
    [error] = check_export_types()
    assert (error.id, error.hint) == (
        "longshore_resources.E015",
        "Add 'chef' to fields of the relation 'bistro' of the resource 'dish'.",
    )


@pytest.mark.parametrize(
    ("changes", "text", "hint"),
    [
        ({"options": {"nope": "x"}}, "options.nope: ", "Accepted: id, "),
        ({"options": {"id": "nope:x"}}, "", None),
        ({"options": {"direction": "up"}}, "options.direction: ", "Accepted: asc, desc."),
        ({"order_by": "nope"}, "options.order_by: ", "Accepted: id, "),
        ({"date": "name"}, "date.name: ", "Accepted: created_at"),
        ({"resource": "contcat"}, "Did you mean 'contact'?", "Resources: "),
        ({"name": "a\nb"}, "name 'a\\nb' is not a valid name", "Write 1 to 100 characters"),
        ({"name": "Prix\u00a0: TTC"}, "", None),
        ({"name": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"}, "", None),
    ],
    ids=str,
)
def test_hints_of_named_exports_name_what_is_accepted(
    changes: dict[str, Any], text: str, hint: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    types = ExportTypes()
    monkeypatch.setattr("longshore.resources.export_type_checks.export_types", types)
    valid = ExportType("x", "X", "contact", {"id": "Id"}, "created_at", "id")
    types.register(replace(valid, **changes))
    errors = check_export_types()
    assert [text in each.msg for each in errors] == [True] * len(errors)
    assert [str(each.hint).startswith(hint or "") for each in errors] == [True] * (hint is not None)


def test_only_named_exports_are_registered_as_such() -> None:
    with pytest.raises(TypeError, match=r"accepts an ExportType\(…\), not 'nope'"):
        ExportTypes().register("nope")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("relation", "text"),
    [
        ("friends", "relation 'friends' is symmetrical"),
        ("clubs", "the column 'role' of Membership needs a value"),
        ("teams", ""),
    ],
)
def test_links_that_a_batch_cannot_write_are_reported(
    relation: str, text: str, awkward: None
) -> None:
    resource = Resource(
        "member", "members", Member, date_field=None, writable_relations=(relation,)
    )
    found = [each for each in check_resource(resource) if each.id == "longshore_resources.E023"]
    assert [text in each.msg for each in found] == ([True] if text else [])
