"""Consistency of the commerce demo data: amounts, counts, statuses and dates."""

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
    """Load one shop for all tests, which only read. Roll back after the last one."""
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("demo_data", organization="acme", rows=0, orders=ORDERS, verbosity=0)
        yield
        transaction.set_rollback(True)


def total(model: type[Model], owner: str, amount: str, **chosen: Any) -> Coalesce:
    """Return the sum of an amount over the related records."""
    rows = model._default_manager.filter(**{owner: OuterRef("pk")}, **chosen).order_by()
    return Coalesce(Subquery(rows.values(owner).annotate(all=Sum(amount)).values("all")), 0)


def none(rows: QuerySet[Any]) -> bool:
    return not rows.exists()


@pytest.mark.slow
def test_order_amounts_are_sums_of_their_lines() -> None:
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
def test_charges_have_lines_of_their_own(item_type: str, amount: str) -> None:
    orders = Order.objects.annotate(
        sum=total(LineItem, "order", "total_amount_cents", item_type=item_type)
    )
    assert none(orders.exclude(sum=F(amount)))
    assert orders.exclude(sum=0).exists()


def test_line_amounts_include_options() -> None:
    options = LineItem.objects.annotate(
        sum=total(LineItemOption, "line_item", "total_amount_cents")
    )
    assert options.filter(sum__gt=0).exists()
    assert none(options.exclude(sum=F("options_amount_cents")))


def test_transactions_match_the_payment_status() -> None:
    done: dict[str, Any] = {"succeeded": True}
    orders = Order.objects.annotate(
        authorized=total(Transaction, "order", "amount_cents", kind="authorization", **done),
        captured=total(Transaction, "order", "amount_cents", kind="capture", **done),
        voided=total(Transaction, "order", "amount_cents", kind="void", **done),
        refunded=total(Transaction, "order", "amount_cents", kind="refund", **done),
    )
    whole = F("total_amount_with_taxes_cents")
    assert none(orders.filter(placed_at__isnull=True, authorized__gt=0))
    assert none(orders.filter(authorized__gt=whole))
    assert none(orders.filter(captured__gt=F("authorized")))
    assert none(orders.filter(refunded__gt=F("captured")))
    assert none(orders.filter(captured__gt=0, voided__gt=0))
    statuses = {
        "unpaid": Q(authorized=0),
        "pending": Q(authorized=0),
        "authorized": Q(authorized=whole, captured=0, voided=0),
        "partially_authorized": Q(authorized__gt=0, authorized__lt=whole, captured=0),
        "expiring": Q(authorized=whole, captured=0, voided=0),
        "expired": Q(authorized=whole, captured=0, voided=0),
        "paid": Q(captured=whole, refunded=0),
        "partially_paid": Q(captured__gt=0, captured__lt=whole),
        "voided": Q(voided=F("authorized"), authorized=whole),
        "partially_voided": Q(voided__gt=0, voided__lt=F("authorized")),
        "refunded": Q(refunded=F("captured"), captured=whole),
        "partially_refunded": Q(refunded__gt=0, refunded__lt=F("captured")),
        "free": Q(authorized=0, total_amount_with_taxes_cents=0),
    }
    assert set(statuses) == set(PaymentStatus.values)
    for status, condition in statuses.items():
        assert orders.filter(payment_status=status).exists(), status
        assert none(orders.filter(payment_status=status).exclude(condition)), status
    for kind in TransactionKind.values:
        assert Transaction.objects.filter(succeeded=False, kind=kind).exists(), kind


def test_times_match_statuses() -> None:
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


def test_shipments_match_the_fulfillment_status() -> None:
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


def test_disputes_refer_to_captured_payments() -> None:
    assert none(Dispute.objects.exclude(transaction__kind="capture", transaction__succeeded=True))
    assert none(Dispute.objects.exclude(transaction__is_disputed=True))
    assert none(Dispute.objects.filter(status="resolved", resolution=None))
    assert none(Dispute.objects.exclude(status="resolved").exclude(resolution=None))
    refunded = Dispute.objects.filter(resolution="refunded")
    assert refunded.exists()
    assert none(refunded.exclude(order__payment_status="refunded"))


def test_returned_goods_were_shipped() -> None:
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


def test_stock_comes_from_the_location_of_the_shipment() -> None:
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


def test_customer_totals_match_their_orders() -> None:
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


def test_carts_are_open_or_have_an_order() -> None:
    assert none(Cart.objects.filter(status="open", order__isnull=False))
    assert none(Cart.objects.filter(status="submitted", order__isnull=True))
    assert {"open", "submitted"} == set(Cart.objects.values_list("status", flat=True))
    sums = Cart.objects.annotate(sum=Sum("cart_line_items__total_amount_cents"))
    assert none(sums.exclude(total_amount_with_taxes_cents=F("sum")))


def test_records_of_test_orders_are_marked_as_tests() -> None:
    tests = Order.objects.filter(is_test=True)
    assert 0 < tests.count() < ORDERS // 10
    for model in (Transaction, Return):
        assert none(model.objects.exclude(is_test=F("order__is_test")))


def test_december_has_a_peak_of_orders() -> None:
    december = Order.objects.filter(created_at__range=("2024-12-01T00:00Z", "2024-12-18T00:00Z"))
    assert december.count() > ORDERS // 5


def test_every_taggable_model_has_tags() -> None:
    for model in (Customer, Sku, Bundle, GiftCard, Order, OrderSubscription, Return):
        counts = model.objects.annotate(tagged=Count("tags")).values_list("tagged", flat=True)
        assert 0 < max(counts) <= 2, model.__name__
