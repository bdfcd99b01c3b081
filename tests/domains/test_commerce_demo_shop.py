"""The year of a demo shop: its amounts, counts and dates agree with each other."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.db.models import (
    Count,
    F,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Coalesce
from pytest_django.plugin import DjangoDbBlocker

from longshore.domains.commerce.models import (
    Bundle,
    Cart,
    Customer,
    Dispute,
    FulfillmentLineItem,
    GiftCard,
    LineItem,
    LineItemOption,
    Order,
    OrderFulfillment,
    OrderShipment,
    OrderSubscription,
    PaymentStatus,
    Return,
    ReturnLineItem,
    Sku,
    StockLineItem,
    Transaction,
    TransactionKind,
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
    goods = {"item_type__in": ["skus", "bundles", "gift_cards"]}
    orders = Order.objects.annotate(
        lines=total(LineItem, "order", "total_amount_cents"),
        goods=total(LineItem, "order", "total_amount_cents", **goods),
        discounts=total(LineItem, "order", "discount_amount_cents"),
        taxes=total(LineItem, "order", "tax_amount_cents"),
        pieces=total(LineItem, "order", "quantity", **goods),
        promotions=total(LineItem, "order", "total_amount_cents", item_type="promotions"),
    )
    paid = orders.exclude(payment_status="free")
    assert paid.filter(lines__gt=0).count() == paid.count() > ORDERS * 0.9
    sums = F("subtotal_amount_cents") + F("discount_amount_cents")
    assert none(orders.exclude(goods=sums - F("promotions")))
    assert none(orders.exclude(discounts=F("discount_amount_cents")))
    assert none(orders.exclude(taxes=F("total_tax_amount_cents")))
    assert none(orders.exclude(pieces=F("skus_count")))
    to_pay = F("lines") + F("gift_card_amount_cents")
    on_top = F("total_amount_with_taxes_cents") - F("total_amount_cents")
    assert none(orders.filter(tax_included=True).exclude(total_amount_with_taxes_cents=to_pay))
    assert none(orders.filter(tax_included=False).exclude(total_amount_cents=to_pay))
    assert none(orders.filter(tax_included=False).exclude(taxes=on_top))
    assert none(paid.filter(total_amount_with_taxes_cents__lte=0))
    assert none(orders.filter(payment_status="free").exclude(total_amount_with_taxes_cents=0))
    assert none(LineItem.objects.exclude(tax_included=F("order__tax_included")))


@pytest.mark.parametrize(
    ("item_type", "amount"),
    [
        ("shipments", "shipping_amount_cents"),
        ("payment_methods", "payment_method_amount_cents"),
        ("adjustments", "adjustment_amount_cents"),
    ],
)
def test_charges_are_lines_of_their_own(item_type: str, amount: str) -> None:
    orders = Order.objects.annotate(
        sum=total(LineItem, "order", "total_amount_cents", item_type=item_type)
    )
    assert none(orders.exclude(sum=F(amount)))
    assert orders.exclude(sum=0).exists()


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
    whole = F("total_amount_with_taxes_cents")
    assert none(orders.filter(placed_at__isnull=True, reserved__gt=0))
    assert none(orders.filter(reserved__gt=whole))
    assert none(orders.filter(taken__gt=F("reserved")))
    assert none(orders.filter(given_back__gt=F("taken")))
    assert none(orders.filter(taken__gt=0, released__gt=0))
    statuses = {
        "unpaid": Q(reserved=0),
        "pending": Q(reserved=0),
        "authorized": Q(reserved=whole, taken=0, released=0),
        "partially_authorized": Q(reserved__gt=0, reserved__lt=whole, taken=0),
        "expiring": Q(reserved=whole, taken=0, released=0),
        "expired": Q(reserved=whole, taken=0, released=0),
        "paid": Q(taken=whole, given_back=0),
        "partially_paid": Q(taken__gt=0, taken__lt=whole),
        "voided": Q(released=F("reserved"), reserved=whole),
        "partially_voided": Q(released__gt=0, released__lt=F("reserved")),
        "refunded": Q(given_back=F("taken"), taken=whole),
        "partially_refunded": Q(given_back__gt=0, given_back__lt=F("taken")),
        "free": Q(reserved=0, total_amount_with_taxes_cents=0),
    }
    assert set(statuses) == set(PaymentStatus.values)
    for status, condition in statuses.items():
        assert orders.filter(payment_status=status).exists(), status
        assert none(orders.filter(payment_status=status).exclude(condition)), status
    for kind in TransactionKind.values:
        assert Transaction.objects.filter(succeeded=False, kind=kind).exists(), kind


def test_times_say_the_same_as_statuses() -> None:
    for model, status, moments in (
        (OrderShipment, "cancelled", {"cancelled_at": True, "shipped_at": False}),
        (OrderShipment, "on_hold", {"on_hold_at": True, "picking_at": False}),
        (OrderShipment, "ready_to_ship", {"ready_to_ship_at": True, "shipped_at": False}),
        (OrderShipment, "shipped", {"shipped_at": True, "delivered_at": False}),
        (OrderShipment, "delivered", {"delivered_at": True, "cancelled_at": False}),
        (Return, "draft", {"requested_at": False}),
        (Return, "cancelled", {"cancelled_at": True, "received_at": False}),
        (Return, "rejected", {"requested_at": True, "approved_at": False}),
        (Return, "approved", {"approved_at": True, "shipped_at": False}),
        (Return, "shipped", {"shipped_at": True, "received_at": False}),
        (Return, "refunded", {"received_at": True, "cancelled_at": False}),
        (Order, "cancelled", {"cancelled_at": True, "approved_at": False}),
        (OrderSubscription, "cancelled", {"cancelled_at": True, "next_run_at": False}),
    ):
        rows = model._default_manager.filter(status=status)
        assert rows.exists(), (model, status)
        for name, is_set in moments.items():
            assert none(rows.filter(**{f"{name}__isnull": is_set})), (model, status, name)


def test_goods_are_where_the_order_says() -> None:
    orders = Order.objects.all()
    assert none(orders.filter(fulfillment_status="not_required", shipments__isnull=False))
    assert none(LineItem.objects.filter(item_type="gift_cards", requires_shipping=True))
    rejected = OrderFulfillment.objects.filter(order__fulfillment_status="rejected")
    assert rejected.exists()
    assert none(rejected.exclude(status="canceled"))
    sent = orders.annotate(sent=Sum("fulfillments__fulfillment_line_items__fulfilled_quantity"))
    assert none(sent.filter(fulfillment_status="fulfilled").exclude(sent=F("skus_count")))
    incomplete = sent.filter(fulfillment_status="incomplete")
    assert incomplete.exists()
    assert none(incomplete.exclude(sent__lt=F("skus_count")))
    delivered = OrderShipment.objects.filter(status="delivered")
    assert none(delivered.exclude(order__fulfillments__delivery_status="delivered"))


def test_disputes_are_of_payments_that_were_taken() -> None:
    assert none(Dispute.objects.exclude(transaction__kind="capture", transaction__succeeded=True))
    assert none(Dispute.objects.exclude(transaction__is_disputed=True))
    assert none(Dispute.objects.filter(status="resolved", resolution=None))
    assert none(Dispute.objects.exclude(status="resolved").exclude(resolution=None))
    refunded = Dispute.objects.filter(resolution="refunded")
    assert refunded.exists()
    assert none(refunded.exclude(order__payment_status="refunded"))


def test_what_comes_back_went_out() -> None:
    assert none(Return.objects.exclude(order__fulfillment_status="fulfilled"))
    assert none(ReturnLineItem.objects.exclude(line_item__order=F("order_return__order")))
    assert none(ReturnLineItem.objects.filter(quantity__gt=F("line_item__quantity")))
    assert none(FulfillmentLineItem.objects.filter(returned_quantity__gt=F("fulfilled_quantity")))
    sent = FulfillmentLineItem.objects.filter(returned_quantity__gt=0)
    arrived = ReturnLineItem.objects.filter(order_return__status__in=["received", "refunded"])
    assert sent.count() == arrived.count() > 0
    kept = F("line_item__quantity") - F("returned_quantity")
    assert none(FulfillmentLineItem.objects.exclude(line_item__current_quantity=kept))
    returned = Return.objects.filter(status="refunded").annotate(
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
