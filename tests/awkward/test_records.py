"""Records of awkward models: their owners, tables and relations, as the ORM has them."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from exports.execution.preview import preview
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from longshore.api.errors import InvalidInput
from longshore.resources.filters import Selection
from longshore.resources.listing import Listing
from longshore.resources.registry import Registry, Resource
from tests.awkward.files import rows
from tests.awkward.models import (
    RESOURCES,
    TICKET,
    Bistro,
    Country,
    Dish,
    Invoice,
    InvoiceLine,
    Noted,
    Place,
    Team,
    TeamLink,
    TeamProfile,
    Ticket,
)

FORMATS = ("csv", "json", "jsonl", "parquet", "xlsx")
MOMENT = datetime(2024, 7, 4, 12, 30, tzinfo=UTC)


@pytest.fixture
def records(awkward: Registry, acme: Organization, globex: Organization) -> dict[str, Any]:
    """Create records of two organizations. Returns some of acme's by name."""
    found: dict[str, Any] = {"france": Country.objects.create(code="FR", name="France")}
    Country.objects.create(code="DE", name="Germany")
    for organization in (acme, globex):
        name = organization.name
        team = Team.objects.create(name=f"Team {name}")
        TeamLink.objects.create(team=team, organization=organization)
        TeamProfile.objects.create(team=team, motto=f"Motto {name}")
        ticket = Ticket.objects.create(team=team, country=found["france"], title=f"For {name}")
        invoice = Invoice.objects.create(
            organization=organization, number="1", issued=date(2024, 7, 4)
        )
        InvoiceLine.objects.create(invoice=invoice, text=f"Line {name}")
        place = {"organization": organization, "opened_at": MOMENT}
        Place.objects.create(**place, name=f"Park {name}")
        bistro = Bistro.objects.create(**place, name=f"Bistro {name}", stars=3, chef="Ada")
        Bistro.objects.create(**place, name="Closed", stars=1, chef="Bob", deleted_at=MOMENT)
        dish = Dish.objects.create(organization=organization, bistro=bistro, name=f"Soup {name}")
        Noted.objects.create(organization=organization, limit=1, order_by=2, direction=3)
        if organization is acme:
            found |= {"team": team, "ticket": ticket, "bistro": bistro, "dish": dish}
    return found


def names(listed: list[dict[str, Any]], name: str = "name") -> list[Any]:
    return [each[name] for each in listed]


@pytest.mark.slow
@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.name)
@pytest.mark.parametrize("file_format", FORMATS)
def test_every_format_and_nesting_of_every_resource(
    resource: Resource, file_format: str, records: None, acme: Organization
) -> None:
    nestings = ("keep",) if file_format in ("json", "jsonl") else ("merge", "repeat", "flatten")
    for nesting in nestings:
        output = {} if nesting == "keep" else {"properties": nesting}
        has_includes = resource.includes and nesting in ("keep", "repeat")
        body: dict[str, Any] = {"includes": [*resource.includes]} if has_includes else {}
        found = rows(acme, resource.name, file_format, output=output, **body)
        assert len(found) == len(rows(acme, resource.name, "csv"))
        assert "Globex" not in str(found)


@pytest.mark.slow
@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.name)
def test_lists_and_previews_of_every_resource(
    resource: Resource, records: None, acme: Organization
) -> None:
    listing = Listing(resource, Selection(), resource.names)
    first = listing.page(acme.pk, 1, None)
    assert len(first.records) == (0 if resource.name == "typed" else 1)
    if first.next:
        assert listing.page(acme.pk, 1, first.next).records
    spec = parse_export({"resource": resource.name, "options": {"limit": 2}})
    assert len(preview(spec, acme.pk).rows) == len(rows(acme, resource.name, "csv"))


def test_path_through_a_reversed_one_to_one_relation(
    records: dict[str, Any], acme: Organization
) -> None:
    assert names(rows(acme, "team", "json")) == ["Team Acme Freight"]
    [ticket] = rows(acme, "ticket", "json")
    team = {"id": records["team"].pk, "name": "Team Acme Freight"}
    country = {"code": "FR", "name": "France"}
    assert ticket == {
        "number": records["ticket"].pk,
        "team_id": records["team"].pk,
        "country_id": "FR",
        "title": "For Acme Freight",
        "team": team,
        "country": country,
    }
    assert names(rows(acme, "team_profile", "json"), "motto") == ["Motto Acme Freight"]


def test_owner_without_a_resource_is_still_the_own_one(
    records: dict[str, Any], awkward: Registry, acme: Organization, globex: Organization
) -> None:
    awkward.unregister("team")
    Ticket.objects.create(team=Team.objects.get(name="Team Globex Stores"), title="Foreign")
    assert names(rows(acme, "ticket", "json", "title", "team"), "title") == ["For Acme Freight"]
    assert rows(acme, "ticket", "json", "title", filters={"team_name_start": "Team Globex"}) == []


def test_organizations_share_records_without_an_owner(
    records: dict[str, Any], acme: Organization, globex: Organization
) -> None:
    for organization in (acme, globex):
        # Without a date field: the greatest keys first.
        found = rows(organization, "country", "json", options={"limit": 5})
        assert names(found, "code") == ["FR", "DE"]
    ascending = rows(acme, "country", "json", options={"direction": "asc"})
    assert names(ascending, "code") == ["DE", "FR"]


@pytest.mark.parametrize("name", ["date_from", "date_to"])
def test_date_range_of_a_resource_without_a_date(name: str, records: None) -> None:
    with pytest.raises(InvalidInput) as error:
        parse_export({"resource": "country", name: "2024-01-01"})
    [problem] = error.value.problems
    assert (problem.field, problem.code) == (name, "invalid_date_range")
    assert problem.message == f"The records have no date field, so {name} cannot select them."


def test_table_of_another_schema(records: dict[str, Any], acme: Organization) -> None:
    [invoice] = rows(acme, "invoice", "json", "number", "issued", "lines")
    assert (invoice["number"], invoice["issued"]) == ("1", "2024-07-04")
    assert names(invoice["lines"], "text") == ["Line Acme Freight"]
    assert (
        rows(acme, "invoice", "json", "number", options={"lines.text": "Line Globex Stores"}) == []
    )
    assert rows(acme, "invoice", "json", "number", filters={"lines_text_start": "Line A"})


def test_multi_table_inheritance_and_soft_deletes(
    records: dict[str, Any], acme: Organization
) -> None:
    assert sorted(names(rows(acme, "place", "json"))) == [
        "Bistro Acme Freight",
        "Park Acme Freight",
    ]
    [bistro] = rows(acme, "bistro", "json", includes=["dishes"])
    expected = Bistro.objects.get(pk=records["bistro"].pk)
    for name in ("id", "name", "stars", "chef", "organization_id", "restaurant_ptr_id"):
        assert bistro[name] == getattr(expected, name)
    assert names(bistro["dishes"]) == ["Soup Acme Freight"]
    [dish] = rows(acme, "dish", "json", "name", "bistro")
    assert dish["bistro"] == {
        "place_ptr_id": expected.pk,
        "name": "Bistro Acme Freight",
        "stars": 3,
    }
    assert rows(acme, "dish", "json", "name", filters={"bistro_name_cont": "Globex"}) == []
    assert rows(acme, "dish", "json", "name", filters={"bistro_stars_gteq": 3})
    assert rows(acme, "bistro", "json", "name", options={"order_by": "name,stars"})


def test_columns_with_the_names_of_options(records: None, acme: Organization) -> None:
    found = rows(acme, "noted", "json", "most", "sorted_by", "towards", options={"most": "1"})
    assert found == [{"most": 1, "sorted_by": 2, "towards": 3}]
    assert TICKET.key_fields == ("number",)
