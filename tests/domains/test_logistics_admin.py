"""The admin of logistics records: fast lists, and edits that change nothing else."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from longshore.accounts.models import Organization
from longshore.database.paginator import EstimatingPaginator
from longshore.domains.admin import records
from longshore.domains.logistics.models import (
    Contact,
    Group,
    Item,
    Shipment,
    Tracker,
)
from tests.domains.pages import address, listed, prefixed, resend, stored
from tests.factories import (
    AssetFactory,
    ContactFactory,
    FulfillmentFactory,
    GroupFactory,
    ItemFactory,
    LocationFactory,
    ShipmentFactory,
    TrackerFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_files")]


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("staff"))
    return client


@pytest.mark.slow
def test_saving_a_page_changes_only_edited_fields(acme: Organization, staff: Client) -> None:
    contact = ContactFactory.create(
        organization=acme, name="Dock 4\r\nGate B", nickname=None, email="", notes=" a\nb ",
        alternate_names=["one, two", "three\nfour"], address={"city": "Łódź"},
    )  # fmt: skip
    before = stored(contact)
    assert resend(staff, contact, nickname="Dock", address="").status_code == 302
    assert stored(contact) == before | {
        "nickname": "Dock",
        "address": None,
        "search_text": "Dock 4\r\nGate B Dock",
    }


def test_cleared_list_is_empty_not_null(acme: Organization, staff: Client) -> None:
    contact = ContactFactory.create(
        organization=acme, alternate_names=["one"], alternate_addresses=[{"city": "Oslo"}]
    )
    resend(staff, contact, alternate_names="", alternate_addresses="", metadata="")
    contact.refresh_from_db()
    assert contact.alternate_names == []
    assert contact.alternate_addresses == []
    assert contact.metadata == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("address", "{", "valid JSON"),
        ("alternate_names", '"one"', "a JSON list of texts"),
        ("alternate_names", "[1]", "a JSON list of texts"),
    ],
)
def test_invalid_json_is_rejected(
    field: str, value: str, reason: str, acme: Organization, staff: Client
) -> None:
    contact = ContactFactory.create(organization=acme)
    response = resend(staff, contact, **{field: value})
    assert reason in response.context["adminform"].errors.as_text()


@pytest.mark.slow
def test_relation_to_another_organization_is_rejected(
    acme: Organization, globex: Organization, staff: Client
) -> None:
    shipment = ShipmentFactory.create(organization=acme)
    ours, foreign = (LocationFactory.create(organization=owner) for owner in (acme, globex))
    response = resend(staff, shipment, location=foreign.pk)
    assert f"belongs to {globex}" in response.context["adminform"].errors.as_text()
    assert resend(staff, shipment, location=ours.pk).status_code == 302
    shipment.refresh_from_db()
    assert shipment.location == ours


def test_relation_of_an_inline_row_to_another_organization_is_rejected(
    acme: Organization, globex: Organization, staff: Client
) -> None:
    ours, foreign = (GroupFactory.create(organization=owner) for owner in (acme, globex))
    contact = ContactFactory.create(organization=acme, groups=[ours])
    response = resend(staff, contact, **{"contactgroup_set-0-group": foreign.pk})
    assert f"belongs to {globex}" in str(
        response.context["inline_admin_formsets"][0].formset.errors
    )
    assert list(contact.groups.all()) == [ours]


def test_record_without_organization_is_rejected(acme: Organization, staff: Client) -> None:
    data = {"name": "Dock", "resource": "contact", "metadata": "{}"}
    data["location"] = LocationFactory.create(organization=acme).pk
    response = staff.post(address(Group, "add"), prefixed(data))
    assert list(response.context["adminform"].errors) == ["organization"]


def test_record_stores_the_user_who_changed_it(acme: Organization, staff: Client) -> None:
    asset = AssetFactory.create(organization=acme)
    resend(staff, asset, name="Forklift")
    asset.refresh_from_db()
    assert asset.updated_by == "staff"


def test_organization_of_a_record_cannot_change(
    acme: Organization, globex: Organization, staff: Client
) -> None:
    asset = AssetFactory.create(organization=acme)
    resend(staff, asset, organization=globex.pk, name="Forklift")
    asset.refresh_from_db()
    assert (asset.name, asset.organization) == ("Forklift", acme)


def test_empty_fields_of_a_new_record_are_null(acme: Organization, staff: Client) -> None:
    empty = {"organization": acme.pk, "name": "", "email": "", "address": "", "metadata": ""}
    rows = {
        f"{name}-{count}_FORMS": "0"
        for name in ("contactgroup_set", "contactlocation_set")
        for count in ("TOTAL", "INITIAL")
    }
    assert staff.post(address(Contact, "add"), prefixed(empty | rows)).status_code == 302
    contact = Contact.objects.get()
    assert (contact.name, contact.email, contact.address) == ("", None, None)
    assert (contact.metadata, contact.alternate_emails) == ({}, [])
    assert contact.organization == acme


def test_inline_row_is_added_to_a_record(acme: Organization, staff: Client) -> None:
    fulfillment = FulfillmentFactory.create(organization=acme)
    row = {"requested_qty": "2", "picked_qty": "0", "packed_qty": "0", "name": "", "value": ""}
    data = {f"articles-0-{name}": value for name, value in row.items()}
    assert resend(staff, fulfillment, **data, **{"articles-TOTAL_FORMS": "1"}).status_code == 302
    article = fulfillment.articles.get()
    assert (article.requested_qty, article.name, article.comment) == (2, "", None)


@pytest.mark.slow
@pytest.mark.parametrize(
    "term", ["müll", "KÄTHE mül", "O'Brien", "käthe@example.com", "example", "0123", "Müller, K"]
)
def test_search_finds_prefixes_of_words(term: str, acme: Organization, staff: Client) -> None:
    found = ContactFactory.create(
        organization=acme, name="Müller, Käthe O'Brien", email="käthe@example.com", phone="+1-0123"
    )
    ContactFactory.create(organization=acme, name="Someone Else")
    assert listed(staff, Contact, q=term) == [found]


@pytest.mark.parametrize("term", ["üller", "müller smith", "!!!", "& | :*", "'); --"])
def test_search_without_a_match_finds_nothing(term: str, acme: Organization, staff: Client) -> None:
    ContactFactory.create(organization=acme, name="Müller, Käthe")
    assert listed(staff, Contact, q=term) == []


def test_search_finds_an_id(acme: Organization, staff: Client) -> None:
    tracker, _ = TrackerFactory.create_batch(2, organization=acme)
    assert listed(staff, Tracker, q=f" {tracker.pk} ") == [tracker]


def test_search_with_many_matches_is_in_order(
    acme: Organization, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MAX_SEARCHED_KEYS", 2)
    items = ItemFactory.create_batch(4, organization=acme, name="Pallet")
    assert listed(staff, Item, q="pallet") == sorted(items, key=lambda item: item.pk, reverse=True)


def test_autocomplete_finds_prefixes_of_words(acme: Organization, staff: Client) -> None:
    group = GroupFactory.create(organization=acme, name="Mail Room")
    query = {"app_label": "longshore_logistics", "model_name": "group", "field_name": "parent"}
    response = staff.get("/admin/autocomplete/", query | {"term": "roo"})
    assert response.json()["results"] == [{"id": group.pk, "text": "Mail Room"}]


def test_list_filters_by_organization_and_status(
    acme: Organization, globex: Organization, staff: Client
) -> None:
    lost = ShipmentFactory.create(organization=acme, status="lost")
    ShipmentFactory.create(organization=acme, status="delivered")
    ShipmentFactory.create(organization=globex, status="lost")
    query = {"organization__id__exact": acme.pk, "status__exact": "lost"}
    assert listed(staff, Shipment, **query) == [lost]


def test_long_list_has_an_estimated_count_and_pages(
    acme: Organization, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EstimatingPaginator, "max_counted", 50)
    shipments = ShipmentFactory.create_batch(120, organization=acme)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE longshore_logistics_shipment")
    newest = sorted((shipment.pk for shipment in shipments), reverse=True)
    response = staff.get(address(Shipment, "changelist"), {"p": "3"})
    assert [shipment.pk for shipment in response.context["cl"].result_list] == newest[100:]
    assert response.context["cl"].result_count == 120


def test_contact_and_group_show_tracker_counts(acme: Organization, staff: Client) -> None:
    group = GroupFactory.create(organization=acme)
    GroupFactory.create(organization=acme, parent=group)
    contact = ContactFactory.create(organization=acme, groups=[group])
    TrackerFactory.create_batch(3, organization=acme, type="inbound", destination_contact=contact)
    TrackerFactory.create_batch(2, organization=acme, type="outbound", destination_contact=contact)
    for record in (contact, group):
        response = staff.get(address(type(record), "change", record.pk))
        shown = response.context["adminform"].model_admin
        found = response.context["original"]
        assert (shown.inbound_trackers(found), shown.outbound_trackers(found)) == ("3", "2")
    assert shown.children_count(group) == "1"


@pytest.mark.parametrize("value", [["Dock"], "Dock", 7, True, {"name": 7, "city": ["x"]}, [], {}])
@pytest.mark.slow
def test_pages_accept_json_of_any_shape(staff: Client, acme: Organization, value: Any) -> None:
    location = LocationFactory.create(
        organization=acme, address=value, service_levels=[value, {"provider": value}]
    )
    fulfillment = FulfillmentFactory.create(organization=acme, recipient=value)
    location_of_one_level = LocationFactory.create(organization=acme, service_levels=value)
    for record in (location, location_of_one_level, fulfillment):
        assert record in listed(staff, type(record))
        assert staff.get(address(type(record), "change", record.pk)).status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize(
    ("currency", "shown"),
    [("EUR", "€139.44"), ("JPY", "¥13,944"), ("KWD", "KWD 13.944")],
)
def test_amounts_are_formatted_by_currency(staff: Client, currency: str, shown: str) -> None:
    prices = {"amount": 13_944, "billed_amount": None, "fee": -5}
    shipment = ShipmentFactory.create(currency=currency, **prices)
    pages = address(Shipment, "changelist"), address(Shipment, "change", shipment.pk)
    found, page = (staff.get(p).content.decode().replace("\N{NO-BREAK SPACE}", " ") for p in pages)
    assert shown in found
    fee = {"EUR": "-0.05", "JPY": "-5", "KWD": "-0.005"}[currency]
    for amount in (shown.split()[-1].lstrip("€¥"), fee):
        assert f'value="{amount}"' in page
