"""The year of a demo shop: its amounts, counts and dates agree with each other."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.db.models import Count, F, Model, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from pytest_django.plugin import DjangoDbBlocker

from resources.commerce.models import (
    Bundle,
    Cart,
    Customer,
    Dispute,
    FulfillmentLineItem,
    GiftCard,
    LineItem,
    LineItemOption,
    Order,
    OrderShipment,
    OrderSubscription,
    Return,
    ReturnLineItem,
    Sku,
    StockLineItem,
    Transaction,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

ORDERS = 400


@pytest.fixture(scope="module")
def shop(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """One shop for all tests, which only read; it is rolled back after the last."""
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("demo_data", organization="acme", rows=0, orders=ORDERS, verbosity=0)
        yield
        transaction.set_rollback(True)


def total(model: type[Model], owner: str, amount: str, **chosen: Any) -> Coalesce:
    """The sum of an amount over the records of a row."""
    rows = model._default_manager.filter(**{owner: OuterRef("pk")}, **chosen).order_by()
    return Coalesce(Subquery(rows.values(owner).annotate(all=Sum(amount)).values("all")), 0)


def none(rows: QuerySet[Any]) -> bool:
    return not rows.exists()


def test_the_amounts_of_orders_are_sums_of_their_lines() -> None:
    lines = Order.objects.annotate(
        lines=total(LineItem, "order", "total_amount_cents"),
        discounts=total(LineItem, "order", "discount_amount_cents"),
        taxes=total(LineItem, "order", "tax_amount_cents"),
        pieces=total(LineItem, "order", "quantity"),
    )
    assert lines.filter(lines__gt=0).count() == ORDERS
    assert none(lines.exclude(lines=F("subtotal_amount_cents") + F("discount_amount_cents")))
    assert none(lines.exclude(discounts=F("discount_amount_cents")))
    assert none(lines.exclude(taxes=F("total_tax_amount_cents")))
    assert none(lines.exclude(pieces=F("skus_count")))
    to_pay = F("lines") + F("shipping_amount_cents") + F("gift_card_amount_cents")
    on_top = F("total_amount_with_taxes_cents") - F("total_amount_cents")
    assert none(lines.filter(tax_included=True).exclude(total_amount_with_taxes_cents=to_pay))
    assert none(lines.filter(tax_included=False).exclude(total_amount_cents=to_pay))
    assert none(lines.filter(tax_included=False).exclude(taxes=on_top))
    assert none(Order.objects.filter(total_amount_with_taxes_cents__lte=0))


def test_options_are_part_of_their_lines() -> None:
    options = LineItem.objects.annotate(
        sum=total(LineItemOption, "line_item", "total_amount_cents")
    )
    assert options.filter(sum__gt=0).exists()
    assert none(options.exclude(sum=F("options_amount_cents")))


def test_money_is_taken_once_and_no_more_is_given_back() -> None:
    done: dict[str, Any] = {"succeeded": True}
    orders = Order.objects.annotate(
        reserved=total(Transaction, "order", "amount_cents", kind="authorization", **done),
        taken=total(Transaction, "order", "amount_cents", kind="capture", **done),
        released=total(Transaction, "order", "amount_cents", kind="void", **done),
        given_back=total(Transaction, "order", "amount_cents", kind="refund", **done),
    )
    placed = orders.filter(placed_at__isnull=False)
    assert none(placed.exclude(reserved=F("total_amount_with_taxes_cents")))
    assert none(orders.filter(placed_at__isnull=True, reserved__gt=0))
    assert none(orders.filter(taken__gt=F("reserved")))
    assert none(orders.filter(given_back__gt=F("taken")))
    assert none(orders.filter(taken__gt=0, released__gt=0))
    statuses = {
        "paid": Q(taken=F("total_amount_with_taxes_cents"), given_back=0),
        "authorized": Q(taken=0, released=0),
        "voided": Q(released=F("reserved")),
        "refunded": Q(given_back=F("taken")),
        "partially_refunded": Q(given_back__gt=0, given_back__lt=F("taken")),
        "unpaid": Q(reserved=0),
    }
    for status, condition in statuses.items():
        assert orders.filter(payment_status=status).exists(), status
        assert none(orders.filter(payment_status=status).exclude(condition)), status
    assert Transaction.objects.filter(succeeded=False).exists()


def test_what_comes_back_went_out() -> None:
    assert none(Return.objects.exclude(order__fulfillment_status="fulfilled"))
    assert none(ReturnLineItem.objects.exclude(line_item__order=F("order_return__order")))
    assert none(ReturnLineItem.objects.filter(quantity__gt=F("line_item__quantity")))
    assert none(FulfillmentLineItem.objects.filter(returned_quantity__gt=F("fulfilled_quantity")))
    sent = FulfillmentLineItem.objects.filter(returned_quantity__gt=0)
    assert sent.count() == ReturnLineItem.objects.count() > 0
    kept = F("line_item__quantity") - F("returned_quantity")
    assert none(FulfillmentLineItem.objects.exclude(line_item__current_quantity=kept))
    returned = Return.objects.annotate(
        amount=total(ReturnLineItem, "order_return", "amount_cents"),
    )
    refunds = Transaction.objects.filter(kind="refund", order__returns__in=returned)
    assert dict(refunds.values_list("order_id", "amount_cents")) == dict(
        returned.values_list("order_id", "amount")
    )


def test_stock_leaves_where_the_shipment_does() -> None:
    assert none(StockLineItem.objects.exclude(stock_item__sku=F("sku")))
    left = F("shipment__stock_location")
    assert none(StockLineItem.objects.exclude(stock_item__stock_location=left))
    shipped = OrderShipment.objects.annotate(pieces=total(StockLineItem, "shipment", "quantity"))
    assert none(shipped.exclude(pieces=F("skus_count")))


@pytest.mark.parametrize(
    ("model", "times"),
    [
        (Order, ("created_at", "placed_at", "approved_at", "updated_at")),
        (OrderShipment, ("picking_at", "packing_at", "ready_to_ship_at", "shipped_at")),
        (OrderShipment, ("order__approved_at", "shipped_at", "delivered_at")),
        (Return, ("order__approved_at", "requested_at", "approved_at", "shipped_at")),
        (Return, ("order__fulfillment_updated_at", "requested_at", "received_at", "updated_at")),
        (Transaction, ("parent__created_at", "created_at")),
        (Dispute, ("transaction__created_at", "happened_at", "created_at")),
        (OrderSubscription, ("source_order__placed_at", "last_run_at", "next_run_at")),
        (OrderSubscription, ("starts_at", "cancelled_at")),
        (Cart, ("created_at", "updated_at")),
        (Order, ("customer__joined_at", "created_at")),
    ],
)
def test_dates_are_in_order(model: type[Model], times: tuple[str, ...]) -> None:
    for earlier, later in pairwise(times):
        dated = model._default_manager.filter(**{f"{later}__isnull": False})
        assert dated.exists()
        assert none(dated.filter(**{f"{later}__lt": F(earlier)})), (earlier, later)


def test_customers_have_counted_what_they_ordered() -> None:
    customers = Customer.objects.annotate(
        placed=Count("orders", Q(orders__placed_at__isnull=False)),
    )
    assert none(customers.exclude(orders_count=F("placed")))
    spent = customers.annotate(
        spent=total(Order, "customer", "total_amount_with_taxes_cents", approved_at__isnull=False)
    )
    assert none(spent.exclude(total_spent_amount_cents=F("spent")))
    assert none(customers.filter(status="repeat", placed__lt=2))
    assert {"prospect", "acquired", "repeat"} == set(customers.values_list("status", flat=True))
    assert none(Order.objects.exclude(currency_code=F("customer__currency_code")))
    subscribed = Customer.objects.annotate(number=Count("order_subscriptions"))
    assert none(subscribed.exclude(subscriptions_count=F("number")))
    assert subscribed.filter(number__gt=0).exists()


def test_carts_were_bought_or_given_up() -> None:
    assert none(Cart.objects.filter(status="open", order__isnull=False))
    assert none(Cart.objects.filter(status="submitted", order__isnull=True))
    assert {"open", "submitted"} == set(Cart.objects.values_list("status", flat=True))
    sums = Cart.objects.annotate(sum=Sum("cart_line_items__total_amount_cents"))
    assert none(sums.exclude(total_amount_with_taxes_cents=F("sum")))


def test_there_are_test_orders_and_they_stay_tests() -> None:
    tests = Order.objects.filter(is_test=True)
    assert 0 < tests.count() < ORDERS // 10
    for model in (Transaction, Return):
        assert none(model.objects.exclude(is_test=F("order__is_test")))


def test_seasons_show_in_the_orders() -> None:
    december = Order.objects.filter(created_at__range=("2024-12-01T00:00Z", "2024-12-18T00:00Z"))
    assert december.count() > ORDERS // 5


def test_tags_are_on_everything_that_may_bear_them() -> None:
    for model in (Customer, Sku, Bundle, GiftCard, Order, OrderSubscription, Return):
        counts = model.objects.annotate(tagged=Count("tags")).values_list("tagged", flat=True)
        assert 0 < max(counts) <= 2, model.__name__
