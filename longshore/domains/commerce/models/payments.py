"""Payments: payment methods, transactions of four kinds, and disputes."""

from django.db import models

from longshore.domains.commerce.models.base import (
    Record,
    by,
    cents,
    currency,
    flag,
    moment,
    one_of,
    only_one,
    part_of,
    related,
)
from longshore.domains.commerce.models.catalog import Market
from longshore.domains.commerce.models.customers import Customer
from longshore.resources.fields import id_field, json_object, text


class PaymentMethod(Record):
    """A payment method and its fee."""

    id = id_field("pmth")
    name = models.TextField()
    payment_source_type = text("credit_cards, wire_transfers…")
    currency_code = currency()
    price_amount_cents = cents()
    moto = flag("For orders by mail or telephone.")
    require_capture = flag("Payments are captured manually.", default=True)
    market = related(Market, "payment_methods")
    order = related(
        "longshore_commerce.Order",
        "payment_methods",
        "The only order that may use this method; null for all orders.",
    )
    disabled_at = moment()

    def __str__(self) -> str:
        return self.name


class TransactionKind(models.TextChoices):
    """The kind of a transaction."""

    AUTHORIZATION = "authorization"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


class Payment(Record):
    """The fields of a transaction."""

    id = id_field("txn")
    number = models.TextField()
    kind = models.CharField(max_length=20, choices=TransactionKind.choices)
    order = part_of("longshore_commerce.Order", "%(class)ss")
    parent = related(
        "longshore_commerce.Transaction", "+", "Transaction that is captured, voided or refunded."
    )
    customer = related(Customer, "+")
    payment_method = related(PaymentMethod, "+")
    currency_code = currency()
    amount_cents = cents()
    succeeded = flag()
    is_disputed = flag()
    is_test = flag()
    message = text("Message of the payment gateway.")
    response_code = text("Response code of the payment gateway.")
    token = text("Id of the payment in the payment gateway.")
    gateway_transaction_id = text("Id of the transaction in the payment gateway.")
    payment_details = json_object("{gateway, bankcard_first_six, bankcard_last_four}.")

    class Meta(Record.Meta):
        abstract = True

    def __str__(self) -> str:
        return self.number


class Transaction(Payment):
    """A payment transaction of an order. Each kind also has a database view."""

    class Meta(Payment.Meta):
        constraints = (
            only_one("number"),
            models.CheckConstraint(
                condition=models.Q(amount_cents__gte=0), name="transaction_is_not_negative"
            ),
        )
        indexes = (*Record.Meta.indexes, by("kind", "created_at"))


class Authorization(Payment):
    """An authorization: reserved money."""

    class Meta(Payment.Meta):
        managed = False
        indexes = ()


class Capture(Payment):
    """A capture: collected money."""

    class Meta(Payment.Meta):
        managed = False
        indexes = ()


class Void(Payment):
    """A void: released money."""

    class Meta(Payment.Meta):
        managed = False
        indexes = ()


class Refund(Payment):
    """A refund: returned money."""

    class Meta(Payment.Meta):
        managed = False
        indexes = ()


class DisputeType(models.TextChoices):
    """The type of a dispute."""

    ALERT = "alert"
    CHARGEBACK = "chargeback"


class DisputeStatus(models.TextChoices):
    """The status of a dispute."""

    NEW = "new"
    OPEN = "open"
    RESOLVED = "resolved"


class Dispute(Record):
    """A payment that a customer disputes at the bank."""

    id = id_field("dsp")
    type = one_of(DisputeType, DisputeType.ALERT)
    status = one_of(DisputeStatus, DisputeStatus.NEW)
    resolution = text("won, lost, refunded…")
    order = part_of("longshore_commerce.Order", "disputes")
    transaction = part_of(Transaction, "disputes")
    currency_code = currency()
    amount_cents = cents()
    arn = text("Acquirer reference number.")
    case_number = text("Case number of the bank.")
    happened_at = moment()

    class Meta(Record.Meta):
        indexes = (*Record.Meta.indexes, by("happened_at"))

    def __str__(self) -> str:
        return self.case_number or self.id
