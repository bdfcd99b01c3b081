"""Named exports: their tables, date ranges and errors."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from exports.execution import runner
from exports.models import Export
from exports.reading.stream import ExportStream
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from longshore.api.errors import InvalidInput
from longshore.domains.commerce.models import (
    Address,
    Cart,
    CartLineItem,
    Customer,
    CustomerAddress,
    Dispute,
    FulfillmentLineItem,
    LineItem,
    Order,
    OrderFulfillment,
    OrderSubscription,
    OrderSubscriptionItem,
    Return,
    ReturnLineItem,
    ShippingMethod,
    Transaction,
)
from longshore.resources.export_type_checks import check_export_types
from longshore.resources.export_types import ExportType, export_types
from tests.conftest import KeyClient
from tests.exports.conftest import downloaded, key_of
from tests.factories import ContactFactory
from tests.records import a_record

pytestmark = pytest.mark.django_db(transaction=True)

CODES = [
    "order_list",
    "order_line_items",
    "customer_list",
    "transaction_list",
    "dispute_list",
    "subscription_list",
    "subscription_line_items",
    "open_cart_list",
    "open_cart_line_items",
    "return_list",
    "return_line_items",
    "fulfillment_list",
    "fulfillment_line_items",
]
JUNE = datetime(2025, 6, 1, tzinfo=UTC)


def table(organization: Organization, **body: Any) -> list[list[str]]:
    spec = parse_export(body, organization.timezone)
    return list(
        csv.reader(io.StringIO(b"".join(ExportStream(spec, organization.pk)).decode("utf-8-sig")))
    )


def refused(body: dict[str, Any]) -> list[tuple[str, str, Any]]:
    with pytest.raises(InvalidInput) as caught:
        parse_export(body)
    return [(each.code.value, each.field, each.accepted) for each in caught.value.problems]


def sell(organization: Organization, at: datetime, *, is_test: bool) -> dict[str, str]:
    """Create one record for each type on one day; return the first cell of each type's row."""
    owner = {"organization": organization}
    customer = a_record(Customer, **owner, joined_at=at)
    order = a_record(
        Order, **owner, is_test=is_test, placed_at=at, customer=customer, number=f"N{at}"
    )
    line = a_record(LineItem, **owner, order=order)
    payment = a_record(
        Transaction, **owner, order=order, is_test=is_test, created_at=at, kind="capture"
    )
    dispute = a_record(Dispute, **owner, order=order, transaction=payment, created_at=at)
    subscription = a_record(OrderSubscription, **owner, source_order=order, created_at=at)
    cart = a_record(Cart, **owner, is_test=is_test, created_at=at)
    back = a_record(Return, **owner, order=order, is_test=is_test, created_at=at)
    sent = a_record(OrderFulfillment, **owner, order=order, is_test=is_test, created_at=at)
    rows = {
        "order_list": order.number,
        "order_line_items": line.pk,
        "customer_list": customer.pk,
        "transaction_list": payment.pk,
        "dispute_list": dispute.pk,
        "subscription_list": subscription.number,
        "subscription_line_items": a_record(
            OrderSubscriptionItem, **owner, order_subscription=subscription
        ).pk,
        "open_cart_list": cart.pk,
        "open_cart_line_items": a_record(CartLineItem, **owner, cart=cart).pk,
        "return_list": back.number,
        "return_line_items": a_record(
            ReturnLineItem, **owner, order_return=back, line_item=line
        ).pk,
        "fulfillment_list": sent.pk,
        "fulfillment_line_items": a_record(
            FulfillmentLineItem, **owner, fulfillment=sent, line_item=line
        ).pk,
    }
    return {code: str(first) for code, first in rows.items()}


def test_the_types_of_commerce_are_listed_in_order() -> None:
    assert [code for code in export_types.codes() if code in CODES] == CODES


@pytest.mark.parametrize("code", CODES)
def test_a_type_exports_the_records_of_its_date_range_without_tests(
    code: str, acme: Organization, globex: Organization
) -> None:
    early, late = JUNE, JUNE + timedelta(days=1)
    inside = late - timedelta(microseconds=1)
    kept = [sell(acme, at, is_test=False)[code] for at in (early, inside)]
    tried = sell(acme, JUNE + timedelta(hours=12), is_test=True)[code]
    sell(acme, late, is_test=False)
    sell(acme, early - timedelta(microseconds=1), is_test=False)
    sell(globex, inside, is_test=False)
    header, *rows = table(acme, type=code, date_from="2025-06-01", date_to="2025-06-01T23:59:59Z")
    assert header == list(export_types.by_code[code].columns.values())
    # Neither a customer nor a subscription is a test.
    alone = code not in ("customer_list", "subscription_list", "subscription_line_items")
    assert [row[0] for row in rows if alone or row[0] != tried] == kept


def test_submitted_carts_are_not_open_carts(acme: Organization) -> None:
    for status in ("open", "submitted"):
        a_record(CartLineItem, acme, cart=a_record(Cart, acme, status=status))
    assert len(table(acme, type="open_cart_list")) == 2
    assert len(table(acme, type="open_cart_line_items")) == 2


def test_both_ends_of_the_date_range_are_optional(acme: Organization) -> None:
    for days in range(3):
        a_record(Customer, acme, joined_at=JUNE + timedelta(days=days))
    assert len(table(acme, type="customer_list")) == 4
    assert len(table(acme, type="customer_list", date_from="2025-06-02")) == 3
    assert len(table(acme, type="customer_list", date_to="2025-06-02")) == 3
    equal = {"date_from": "2025-06-02", "date_to": "2025-06-02"}
    assert len(table(acme, type="customer_list", **equal)) == 2


@pytest.mark.parametrize(
    ("date_to", "count"),
    [
        ("2025-05-31", 0),
        ("2025-06-01", 4),
        ("2025-06-01T10:00Z", 2),
        ("2025-06-01T09:59Z", 0),
        ("2025-06-01T10:00:00Z", 1),
        ("2025-06-01T10:00:30Z", 2),
        ("2025-06-01T10:00:30.123Z", 2),
        ("2025-06-01T10:00:30.122Z", 1),
        ("2025-06-01T23:59:59.999999Z", 4),
        ("2025-06-01T23:59:59.999998Z", 3),
        (1748772000, 1),
        (1748772030123, 2),
    ],
)
def test_date_to_is_included_to_the_precision_in_which_it_is_written(
    date_to: str | int, count: int, acme: Organization
) -> None:
    hour = JUNE + timedelta(hours=10)
    for at in (
        *(hour, hour + timedelta(seconds=30, microseconds=123_456)),
        *(hour + timedelta(hours=1), JUNE + timedelta(days=1, microseconds=-1)),
    ):
        a_record(Order, acme, placed_at=at)
    assert len(table(acme, type="order_list", date_to=date_to)) - 1 == count


@pytest.mark.parametrize("ends", [{}, {"date_from": "2020-01-01"}, {"date_to": "2030-01-01"}])
def test_orders_that_were_not_placed_are_left_out(ends: dict[str, str], acme: Organization) -> None:
    placed = a_record(Order, acme, placed_at=JUNE, number="N1", status="placed")
    draft = a_record(Order, acme, placed_at=None, number="N2", status="draft")
    for order in (placed, draft):
        a_record(LineItem, acme, order=order)
    assert [row[0] for row in table(acme, type="order_list", **ends)[1:]] == ["N1"]
    assert [row[1] for row in table(acme, type="order_line_items", **ends)[1:]] == ["N1"]


def test_one_zone_applies_to_the_date_range_the_filters_and_the_file(acme: Organization) -> None:
    acme.timezone = "America/New_York"
    acme.save()
    # The 31st in New York, and the 1st in Tokyo.
    a_record(Customer, acme, joined_at=JUNE)
    for own, day in ((None, "2025-05-31"), ("Asia/Tokyo", "2025-06-01")):
        output = {"columns": ["joined_at"], **({"timezone": own} if own else {})}
        for asked in (
            {"date_from": day, "date_to": day},
            {"options": {"joined_at": day}},
            {"filters": {"joined_at_eq": day}},
        ):
            _, [shown] = table(acme, type="customer_list", csv_field_options=output, **asked)
            assert shown.startswith(day)


def test_dates_without_an_offset_are_in_the_organizations_zone(acme: Organization) -> None:
    acme.timezone = "America/New_York"
    acme.save()
    a_record(Customer, acme, joined_at=JUNE)
    for date_from, count in (
        ("2025-06-01", 0),
        ("2025-06-01T00:00:00", 0),
        ("2025-05-31T20:00:00", 1),
        ("2025-06-01T00:00:00Z", 1),
        ("2025-06-01T09:00:00+09:00", 1),
        ("2025-06-01T00:00:01Z", 0),
    ):
        rows = table(acme, type="customer_list", date_from=date_from)
        assert len(rows) - 1 == count, date_from


@pytest.mark.parametrize("start", ["02:00", "02:30", "02:59", "02:59:59"])
@pytest.mark.parametrize("end", ["02:59:59", "03:10"])
def test_a_date_range_may_begin_and_end_at_skipped_local_times(start: str, end: str) -> None:
    day = "2025-03-09T"
    spec = parse_export(
        {"resource": "contact", "date_from": day + start, "date_to": day + end},
        "America/New_York",
    )
    assert len(spec.selection.conditions) == 2


def test_a_date_range_without_a_type_uses_the_date_of_the_resource(acme: Organization) -> None:
    ContactFactory.create(organization=acme, name="old", created_at=JUNE)
    ContactFactory.create(organization=acme, name="new", created_at=now())
    found = table(acme, resource="contact", date_to="2025-07-01")
    assert [row[found[0].index("name")] for row in found[1:]] == ["old"]


def test_a_request_overrides_columns_and_order_and_adds_filters(acme: Organization) -> None:
    for name in ("b", "a", "c"):
        a_record(Customer, acme, email=f"{name}@example.com")
    body = {
        "type": "customer_list",
        "options": {"email": "a@example.com,b@example.com", "order_by": "email"},
        "csv_field_options": {"columns": {"email": "Mail"}},
    }
    assert table(acme, **body) == [["Mail"], ["a@example.com"], ["b@example.com"]]
    # The filters of the type always apply.
    assert len(table(acme, type="order_list", options={"is_test": True})) == 1


def test_all_problems_are_reported_at_once() -> None:
    problems = refused(
        {"type": "orders", "date_from": "yesterday", "date_to": [], "format": "pdf", "typ": 1}
    )
    fields = ["type", "date_from", "date_to", "typ", "format"]
    assert [field for _, field, _ in problems] == fields
    assert problems[0] == ("invalid_type", "type", CODES)
    assert [code for code, _, _ in problems[1:3]] == ["invalid_date_range"] * 2


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (
            {"type": "order_list", "date_from": "2025-06-02", "date_to": "2025-06-01"},
            "invalid_date_range",
            "date_from",
        ),
        (
            {"resource": "contact", "date_from": "2025-06-02T00:00Z", "date_to": "2025-06-01"},
            "invalid_date_range",
            "date_from",
        ),
        # Longer than the column of the row.
        (
            {"resource": "contact", "date_from": f"2025-06-02T00:00:00.{'0' * 45}Z"},
            "invalid_date_range",
            "date_from",
        ),
        ({"type": ["order_list"]}, "invalid_type", "type"),
        ({"type": "order_list", "resource": "contact"}, "invalid_resource", "resource"),
        ({}, "invalid_request", "resource"),
        ({"type": "order_list", "fields": []}, "invalid_column", "fields"),
        ({"type": "order_list", "options": []}, "invalid_request", "options"),
        ({"type": "order_list", "options": False}, "invalid_request", "options"),
        ({"type": "order_list", "csv_field_options": ""}, "invalid_request", "csv_field_options"),
        ({"type": "order_list", "csv_field_options": 0}, "invalid_request", "csv_field_options"),
    ],
)
def test_a_problem_is_reported(body: dict[str, Any], code: str, field: str) -> None:
    assert [problem[:2] for problem in refused(body)] == [(code, field)]


def test_every_organization_sees_the_same_types(alice: KeyClient, charlie: KeyClient) -> None:
    for slash in ("", "/"):
        body = alice.get(f"/v1/exports/types{slash}").json()
        assert [each["code"] for each in body["results"]] == CODES
    assert body["results"][4]["options"] == {"transaction.is_test": False}
    assert body["results"][4]["columns"]["amount_float"] == "Amount"
    assert charlie.get("/v1/exports/types").json() == body


def test_an_export_of_a_type_is_created_shown_and_listed(
    alice: KeyClient, charlie: KeyClient, acme: Organization
) -> None:
    order = a_record(Order, acme, placed_at=JUNE, number="#1")
    body = {"type": "order_list", "date_from": "2025-06-01", "date_to": "2025-06-02"}
    created = alice.post("/v1/exports", body)
    assert created.status_code == 201, created.json()
    shown = created.json()
    assert (shown["type"], shown["resource"], shown["records_count"]) == ("order_list", "order", 1)
    alice.post("/v1/exports", {"resource": "contact"})
    found = alice.get("/v1/exports?type=order_list").json()["results"]
    assert [each["id"] for each in found] == [shown["id"]]
    assert alice.get("/v1/exports?type=orders").status_code == 400
    assert charlie.get("/v1/exports?type=order_list").json()["results"] == []
    runner.run(key_of(shown))
    url = alice.get(f"/v1/exports/{shown['id']}").json()["download_url"]
    header, row = csv.reader(io.StringIO(downloaded(url).decode("utf-8-sig")))
    assert (header[0], row[0]) == ("Order Number", order.number)
    assert Export.objects.count() == 2


def test_a_preview_uses_the_zone_of_the_organization(alice: KeyClient, acme: Organization) -> None:
    acme.timezone = "Asia/Tokyo"
    acme.save()
    a_record(Customer, acme, joined_at=JUNE - timedelta(hours=9))
    body = {"type": "customer_list", "date_from": "2025-06-01"}
    assert alice.post("/v1/exports/preview", body).json()["records_count"] == 1


def test_the_declared_types_pass_the_system_check() -> None:
    assert check_export_types() == []


def test_the_system_check_reports_each_mistake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def declared(resource: str = "order", **changes: Any) -> ExportType:
        given = {"columns": {"number": "Number"}, "date": "placed_at", "order_by": "number"}
        return ExportType(code="mine", name="Mine", resource=resource, **(given | changes))

    def messages(*types: ExportType) -> str:
        monkeypatch.setattr(export_types, "declared", list(types))
        return " ".join(error.msg for error in check_export_types())

    assert messages(declared()) == ""
    assert "another named export has the code" in messages(declared(), declared())
    assert "'parrot' is not a resource" in messages(declared("parrot"))
    assert "order has no column 'nummer'" in messages(declared(columns={"nummer": "Number"}))
    assert "columns is empty" in messages(declared(columns={}))
    assert "two columns have the header" in messages(declared(columns={"number": "A", "id": "A"}))
    assert "cannot be ordered by 'metadata'" in messages(declared(order_by="metadata"))
    assert "has no filter 'color'" in messages(declared(options={"color": 1}))
    assert "date.source" in messages(declared(date="source"))


def test_amounts_of_lines_are_shown_with_and_without_tax(acme: Organization) -> None:
    amounts: dict[str, Any] = {
        "quantity": 2,
        "unit_amount_cents": 1000,
        "unit_cost_amount_cents": 450,
    }
    amounts |= {"total_amount_cents": 1900, "discount_amount_cents": -100, "tax_rate": 0.2}
    for number, included, tax in (("#1", True, 317), ("#2", False, 380)):
        order = a_record(Order, acme, number=number, placed_at=JUNE, tax_included=included)
        a_record(
            LineItem,
            acme,
            order=order,
            tax_included=included,
            tax_amount_cents=tax,
            compare_at_amount_cents=1001,
            **amounts,
        )
    names = ("Price Incl. Tax", "Price Excl. Tax", "Original Price Incl. Tax", "Total Cost")
    header, *rows = table(acme, type="order_line_items")
    found = {row[1]: [row[header.index(name)] for name in names] for row in rows}
    assert found == {
        "#1": ["19.00", "15.83", "10.01", "9.00"],
        "#2": ["22.80", "19.00", "12.01", "9.00"],
    }


def test_named_exports_show_statuses_in_the_reported_form(acme: Organization) -> None:
    words = {
        "unpaid": "pending",
        "pending": "pending",
        "partially_authorized": "authorized",
        "free": "paid",
        "partially_voided": "partially_voided",
    }
    for number, status in enumerate(words):
        at = JUNE + timedelta(seconds=number)
        state = {"payment_status": status, "fulfillment_status": "in_progress"}
        a_record(Order, acme, placed_at=at, number=f"#{number}", **state)
    header, *rows = table(acme, type="order_list")
    assert [row[header.index("Payment Status")] for row in rows] == list(words.values())
    assert {row[header.index("Fulfillment Status")] for row in rows} == {"processing"}

    canceled = a_record(OrderSubscription, acme, status="cancelled")
    a_record(OrderSubscriptionItem, acme, order_subscription=canceled)
    for code in ("subscription_list", "subscription_line_items"):
        header, row = table(acme, type=code)
        assert [cell for cell in row if cell.startswith("cancel")] == ["canceled"], code


def test_requests_can_filter_by_reported_statuses(alice: KeyClient, acme: Organization) -> None:
    for status in ("unpaid", "paid"):
        a_record(Order, acme, payment_status=status)
    body = {"resource": "order", "options": {"reported_payment_status": "pending"}}
    assert alice.post("/v1/exports/preview", body).json()["records_count"] == 1
    found = alice.get("/v1/orders?reported_payment_status=pending").json()["results"]
    assert [each["payment_status"] for each in found] == ["unpaid"]
    body["options"] = {"reported_payment_status": "unpaid"}
    refusal = alice.post("/v1/exports/preview", body).json()
    assert "pending" in str(refusal["details"])


def test_a_customer_is_exported_with_addresses(acme: Organization, globex: Organization) -> None:
    customer = a_record(Customer, acme, joined_at=JUNE)
    for owner, line in ((acme, "1 Main Street"), (acme, "2 Side Street"), (globex, "not yours")):
        address = a_record(
            Address, owner, line_1=line, line_4="Yard", country_code="US", first_name="Zoé"
        )
        a_record(CustomerAddress, acme, customer=customer, address=address)
    a_record(Customer, acme, joined_at=JUNE + timedelta(days=1))
    header, first, second = table(acme, type="customer_list")
    addresses = json.loads(first[header.index("Addresses")])
    assert [each["line_1"] for each in addresses] == ["1 Main Street", "2 Side Street"]
    assert addresses[0]["line_4"] == "Yard"
    assert (addresses[0]["first_name"], addresses[0]["country_code"]) == ("Zoé", "US")
    assert second[header.index("Addresses")] == ""


def test_an_order_names_its_shipping_method_and_whole_addresses(acme: Organization) -> None:
    lines = {f"line_{number}": f"L{number}" for number in (1, 2, 3, 4)}
    a_record(
        Order,
        acme,
        placed_at=JUNE,
        shipping_method=a_record(ShippingMethod, acme, name="Express", code="express"),
        shipping_address=a_record(Address, acme, **lines),
    )
    header, row = table(acme, type="order_list")
    shown = dict(zip(header, row, strict=True))
    assert (shown["Shipping Code"], shown["Shipping Method"]) == ("express", "Express")
    assert [shown[f"Shipping Line {number}"] for number in (1, 2, 3, 4)] == list(lines.values())


def test_a_named_export_is_accepted_under_both_names(alice: KeyClient, acme: Organization) -> None:
    a_record(Order, acme, placed_at=JUNE, number="#1")
    assert table(acme, code="order_list") == table(acme, type="order_list")
    created = alice.post("/v1/exports", {"code": "order_list"}).json()
    assert (created["type"], created["request"]) == ("order_list", {"type": "order_list"})
    listed = alice.get("/v1/exports", {"type": "order_list"}).json()["results"]
    assert [each["id"] for each in listed] == [created["id"]]
    for body in ({"code": "order_list", "type": None}, {"code": None, "type": "order_list"}):
        created = alice.post("/v1/exports", body).json()
        assert (created["type"], created["request"]) == ("order_list", {"type": "order_list"})
    types = alice.get("/v1/exports/types").json()["results"]
    assert [each["type"] for each in types] == CODES
    assert ("invalid_request", "code") in [
        problem[:2] for problem in refused({"type": "order_list", "code": "order_list"})
    ]
