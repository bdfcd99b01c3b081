"""The admin of commerce records: amounts, constraints, parts, and exports of lists."""

import csv
import hashlib
import html
import io
import re
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext

from exports.execution import runner
from exports.models import Export
from longshore.accounts.models import Organization
from longshore.accounts.roles import Role
from longshore.domains.commerce.models import (
    Capture,
    Customer,
    GiftCard,
    LineItem,
    Order,
    Price,
    Promotion,
    Tag,
    Transaction,
)
from longshore.domains.logistics.models import Contact
from tests.domains.pages import address, listed, resend
from tests.exports.conftest import no_broker, storage, stored_files
from tests.forms import posted
from tests.members import bind
from tests.records import a_record, copies

__all__ = ["no_broker", "storage"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_files")]


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("staff"))
    return client


def errors(response: Any) -> str:
    return html.unescape(response.context["adminform"].form.errors.as_text())


def page_of(client: Client, record: Model) -> str:
    page = client.get(address(type(record), "change", record.pk)).content.decode()
    return str(page).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("currency", "minor", "in_list", "in_form"),
    [
        ("EUR", 123_450, "€1,234.50", "1,234.50"),
        ("JPY", 123_450, "¥123,450", "123,450"),
        ("KWD", 123_450, "KWD 123.450", "123.450"),
        ("USD", -5, "-$0.05", "-0.05"),
    ],
)
def test_amounts_are_read_and_saved_as_people_write_them(
    staff: Client, acme: Organization, currency: str, minor: int, in_list: str, in_form: str
) -> None:
    option = {"currency_code": currency, "fixed_amount_cents": minor}
    record = a_record(Promotion, acme, **option)
    lists = staff.get(address(Promotion, "changelist")).content.decode()
    assert in_list in lists.replace("\N{NO-BREAK SPACE}", " ")
    assert f'value="{in_form}"' in page_of(staff, record)
    assert resend(staff, record).status_code == 302
    record.refresh_from_db()
    assert record.fixed_amount_cents == minor


@pytest.mark.slow
@pytest.mark.parametrize(
    ("currency", "text", "minor"),
    [
        ("EUR", "€ 1,234.50", 123_450),
        ("EUR", "1234.5 eur", 123_450),
        ("EUR", "1,234", 123_400),
        ("EUR", " - 7 ", -700),
        ("JPY", "¥ 1,200", 1_200),
        ("KWD", "KWD 1.5", 1_500),
        ("CHF", "CHF\N{NO-BREAK SPACE}20.00", 2_000),
        ("EUR", "92,233,720,368,547,758.07", 2**63 - 1),
        ("EUR", "", None),
    ],
)
def test_amounts_are_typed_as_people_write_them(
    staff: Client, acme: Organization, currency: str, text: str, minor: int | None
) -> None:
    record = a_record(Promotion, acme, currency_code=currency)
    response = resend(staff, record, fixed_amount_cents=text)
    assert response.status_code == 302, errors(response)
    record.refresh_from_db()
    assert record.fixed_amount_cents == minor


@pytest.mark.slow
@pytest.mark.parametrize(
    ("currency", "text", "reason"),
    [
        ("EUR", "12,345.678", "'12,345.678' has more than 2 decimals; EUR has 2."),
        ("JPY", "12.50", "'12.50' has decimals; JPY has none."),
        ("EUR", "1.234,50", "'1.234,50' is not an amount in EUR. Enter it like 1,234.50."),
        ("EUR", "12,50", "'12,50' is not an amount in EUR."),
        ("EUR", "$ 5", "'$ 5' is not an amount in EUR."),
        ("JPY", "much", "Enter it like 123,450."),
        ("EUR", "١٢", "is not an amount"),
        ("EUR", "9" * 300, "is not an amount"),
        ("EUR", "92,233,720,368,547,758.08", "is not between"),
    ],
)
def test_other_texts_are_refused(
    staff: Client, acme: Organization, currency: str, text: str, reason: str
) -> None:
    card = a_record(GiftCard, acme, currency_code=currency, balance_cents=7)
    response = resend(staff, card, balance_cents=text)
    assert reason in errors(response)
    assert f'value="{html.escape(text)}"' in response.content.decode()
    card.refresh_from_db()
    assert card.balance_cents == 7


def test_an_amount_is_read_in_the_currency_of_the_same_form(
    staff: Client, acme: Organization
) -> None:
    card = a_record(GiftCard, acme, currency_code="EUR", balance_cents=1_250)
    # The page shows 12.50.
    assert "JPY has none" in errors(resend(staff, card, currency_code="JPY"))
    assert resend(staff, card, currency_code="KWD").status_code == 302
    card.refresh_from_db()
    assert (card.currency_code, card.balance_cents) == ("KWD", 12_500)


def test_a_required_amount_cannot_be_empty(staff: Client, acme: Organization) -> None:
    card = a_record(GiftCard, acme)
    assert "required" in errors(resend(staff, card, balance_cents=""))


def test_a_code_of_another_record_is_refused(
    staff: Client, acme: Organization, globex: Organization
) -> None:
    card = a_record(GiftCard, acme, code="A")
    a_record(GiftCard, acme, code="B")
    a_record(GiftCard, globex, code="C")
    assert "already exists" in errors(resend(staff, card, code="B"))
    assert resend(staff, card, code="C").status_code == 302


def test_a_broken_rule_is_an_error_of_the_form(staff: Client, acme: Organization) -> None:
    card = a_record(GiftCard, acme)
    assert "gift_card_is_not_overdrawn" in errors(resend(staff, card, balance_cents="-1"))


def test_a_tag_of_another_organization_is_refused(
    staff: Client, acme: Organization, globex: Organization
) -> None:
    card, tag = a_record(GiftCard, acme), a_record(Tag, globex, name="Zanzibar")
    assert f"not to {acme}" in errors(resend(staff, card, tags=tag.pk))


def test_the_name_of_a_price_has_its_amount_as_text(acme: Organization) -> None:
    price = a_record(Price, acme, sku_code="A-1", amount_cents=1_250, currency_code="EUR")
    assert str(price) == "A-1: €12.50"


def test_amounts_of_orders_are_sums_that_nobody_edits(staff: Client, acme: Organization) -> None:
    order = a_record(Order, acme, total_cost_amount_cents=123_450, currency_code="EUR")
    assert "€1,234.50" in page_of(staff, order)
    changes = {"total_cost_amount_cents": "1", "currency_code": "JPY", "source": "phone"}
    assert resend(staff, order, **changes).status_code == 302
    order.refresh_from_db()
    assert (order.total_cost_amount_cents, order.currency_code) == (123_450, "EUR")
    assert order.source == "phone"


def test_the_page_of_an_order_links_to_its_lines(staff: Client, acme: Organization) -> None:
    order = a_record(Order, acme)
    amounts = {"unit_amount_cents": 123_450, "total_amount_cents": 123_450}
    line = a_record(LineItem, acme, order=order, name="Lamp", currency_code="EUR", **amounts)
    page = page_of(staff, order)
    assert f'href="{address(LineItem, "change", line.pk)}"' in page
    assert page.count("€1,234.50") == 2


def test_payments_can_be_seen_but_not_changed(acme: Organization) -> None:
    operator = User.objects.create_user("operator", is_staff=True)
    operator.groups.add(Group.objects.get(name=Role.OPERATOR))
    client = Client()
    client.force_login(operator)
    payment = a_record(Transaction, acme, amount_cents=123_450, payment_details={"gateway": "x"})
    page = page_of(client, payment)
    assert "$1,234.50" in page
    assert "&quot;gateway&quot;: &quot;x&quot;" in page
    assert client.post(address(Transaction, "change", payment.pk)).status_code == 403
    assert client.get(address(Transaction, "add")).status_code == 403


def test_lists_offer_filters_without_an_index_only_for_an_organization(
    staff: Client, acme: Organization
) -> None:
    def titles(client: Client, **query: str) -> set[str]:
        response = client.get(address(GiftCard, "changelist"), query)
        return {spec.title for spec in response.context["cl"].filter_specs}

    few = titles(staff)
    assert few.isdisjoint({"currency code", "status"})
    assert "organization" in few
    assert {"currency code", "status"} <= titles(staff, organization__id__exact=acme.pk)
    bind(User.objects.get(username="staff"), [acme])
    assert {"currency code", "status"} <= titles(staff)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "unique"), [(GiftCard, {"code": "'old ' || n"}), (Contact, {})], ids=str
)
def test_the_oldest_days_of_all_organizations_are_read_from_an_index(
    staff: Client, acme: Organization, model: type[Model], unique: dict[str, str]
) -> None:
    old = a_record(model, acme, created_at="2020-01-01T00:00Z")
    days = "CASE WHEN n < 60 THEN created_at ELSE now() + n * interval '1 s' END"
    copies(old, 20_000, created_at=days, **unique)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {model._meta.db_table}")
    with CaptureQueriesContext(connection) as queries:
        shown = listed(staff, model, created_at_to_0="2020-01-02")
    assert {each.created_at.year for each in shown} == {2020}
    [keys] = [q["sql"] for q in queries if ' AS "pk" FROM' in q["sql"] and "ORDER BY" in q["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {keys}")
        plan = "".join(line for (line,) in cursor.fetchall())
    assert re.search(rf"{model._meta.model_name}_(by_day|days)\b", plan), plan


def test_lists_filter_by_currency_status_and_time(staff: Client, acme: Organization) -> None:
    wanted = {"currency_code": "EUR", "status": "active", "created_at": "2026-01-02T12:00Z"}
    card = a_record(GiftCard, acme, **wanted)
    for other in (
        {"currency_code": "JPY"},
        {"status": "draft"},
        {"created_at": "2026-01-03T12:00Z"},
    ):
        a_record(GiftCard, acme, **wanted | other)
    query = {
        "organization__id__exact": acme.pk,
        "currency_code__exact": "EUR",
        "status__exact": "active",
        "created_at_from_0": "2026-01-02",
        "created_at_to_0": "2026-01-02",
    }
    assert listed(staff, GiftCard, **query) == [card]


def exported(client: Client, response: Any) -> list[dict[str, str]]:
    """Run the request that an action opened in the builder, and return the rows of the file."""
    page = client.get(response.url).content.decode()
    created = client.post("/admin/exports/export/build/", posted(page))
    assert created.status_code == 302, created.content.decode()
    export = Export.objects.latest("number")
    runner.run(export.pk)
    export.refresh_from_db()
    assert export.status == "completed", export.error
    file = export.files.get()
    contents = {
        hashlib.sha256(each).hexdigest(): each for each in map(Path.read_bytes, stored_files())
    }
    content = contents[file.sha256]
    return list(csv.DictReader(io.StringIO(content.decode())))


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("storage", "no_broker")
def test_selected_and_all_matching_records_are_exported(staff: Client, acme: Organization) -> None:
    orders = [
        a_record(
            Order,
            acme,
            number=f"{currency} {number}",
            currency_code=currency,
            created_at=f"{year}-06-01T12:00Z",
        )
        for currency, year in (("EUR", 2025), ("JPY", 2026))
        for number in range(3)
    ]
    page = address(Order, "changelist")
    chosen = sorted(order.pk for order in orders[1:3])
    form = {"action": "export_selected", "_selected_action": chosen}
    rows = exported(staff, staff.post(page, form))
    assert sorted(row["id"] for row in rows) == chosen
    query = {"organization__id__exact": acme.pk, "created_at_from_0": "2026-01-01"}
    rows = exported(staff, staff.get(f"{page}export_all/", query))
    assert sorted(row["number"] for row in rows) == ["JPY 0", "JPY 1", "JPY 2"]
    assert {row["currency_code"] for row in rows} == {"JPY"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("entered", "minor"), [("KWD", 12_500), ("kwd", 12_500), (" jpy ", None), ("EURO", None)]
)
def test_a_currency_is_three_letters_in_upper_case(
    staff: Client, acme: Organization, entered: str, minor: int | None
) -> None:
    card = a_record(GiftCard, acme, currency_code="EUR", balance_cents=1_250)
    response = resend(staff, card, currency_code=entered)
    card.refresh_from_db()
    if minor is None:
        assert "JPY has none" in errors(response) or "EURO" in errors(response)
        assert (card.currency_code, card.balance_cents) == ("EUR", 1_250)
    else:
        assert (card.currency_code, card.balance_cents) == ("KWD", minor)


@pytest.mark.slow
def test_the_currency_of_an_amount_that_nobody_edits_stays(
    staff: Client, acme: Organization
) -> None:
    customer = a_record(Customer, acme, currency_code="EUR", total_spent_amount_cents=123_450)
    assert resend(staff, customer, currency_code="JPY", first_name="Ada").status_code == 302
    customer.refresh_from_db()
    assert (customer.currency_code, customer.first_name) == ("EUR", "Ada")
    # An amount of the form is not read in a currency that the form does not set.
    order = a_record(Order, acme, currency_code="EUR")
    assert resend(staff, order, currency_code="nonsense").status_code == 302
    added = staff.get(address(Customer, "add")).content.decode()
    assert 'name="record-currency_code"' in added


def test_rows_of_views_are_deleted_only_with_their_order(staff: Client, acme: Organization) -> None:
    order = a_record(Order, acme)
    payment = a_record(Transaction, acme, order=order, kind="capture")
    capture = Capture.objects.get(pk=payment.pk)
    assert address(Capture, "delete", capture.pk) not in page_of(staff, capture)
    assert staff.post(address(Capture, "delete", capture.pk), {"post": "yes"}).status_code == 403
    form = {"action": "delete_selected", "_selected_action": [capture.pk], "post": "yes"}
    staff.post(address(Capture, "changelist"), form)
    assert Transaction.objects.exists()
    assert staff.post(address(Order, "delete", order.pk), {"post": "yes"}).status_code == 302
    assert not Order.objects.exists()
    assert not Transaction.objects.exists()


def test_only_lists_that_batches_write_suggest_a_batch(staff: Client) -> None:
    hint = "A batch imports many of them at once."
    assert hint in staff.get(address(Order, "changelist")).content.decode()
    content = staff.get(address(Transaction, "changelist")).content.decode()
    assert "No transactions yet" in content
    assert hint not in content


def test_the_records_of_an_organization_are_ordered_by_its_index(
    staff: Client, acme: Organization
) -> None:
    old = a_record(GiftCard, acme, created_at="2025-01-01T12:00Z")
    new = a_record(GiftCard, acme, created_at="2026-01-01T12:00Z")
    older = a_record(GiftCard, acme, created_at="2024-01-01T12:00Z")
    # Ids of the same millisecond have no order.
    by_id = sorted((old, new, older), key=lambda each: each.pk, reverse=True)
    assert listed(staff, GiftCard) == by_id
    assert listed(staff, GiftCard, organization__id__exact=acme.pk) == [new, old, older]


def test_each_model_is_in_one_subject_of_the_sidebar() -> None:
    config: Any = apps.get_app_config("longshore_commerce")
    named = [name for names in config.subjects.values() for name in names]
    models = [each for each in admin.site._registry if each._meta.app_config is config]
    assert sorted(named) == sorted(each.__name__ for each in models)
