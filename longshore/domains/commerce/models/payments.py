"""How orders are paid: methods, transactions of four kinds, and disputes about them."""

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
    """A way of paying, and what it costs."""

    id = id_field("pmth")
    name = models.TextField()
    payment_source_type = text("credit_cards, wire_transfers…")
    currency_code = currency()
    price_amount_cents = cents()
    moto = flag("Of orders by mail or telephone.")
    require_capture = flag("Money is taken by hand.", default=True)
    market = related(Market, "payment_methods")
    order = related("longshore_commerce.Order", "payment_methods", "The only one that it is for.")
    disabled_at = moment()

    def __str__(self) -> str:
        return self.name


class TransactionKind(models.TextChoices):
    """What a transaction does with the money: reserve, take, release, give back."""

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
    parent = related("longshore_commerce.Transaction", "+", "What is captured, voided or refunded.")
    customer = related(Customer, "+")
    payment_method = related(PaymentMethod, "+")
    currency_code = currency()
    amount_cents = cents()
    succeeded = flag()
    is_disputed = flag()
    is_test = flag()
    message = text("What the gateway said.")
    response_code = text("The gateway's.")
    token = text("What the gateway calls the money.")
    gateway_transaction_id = text("What the gateway calls the transaction.")
    payment_details = json_object("{gateway, bankcard_first_six, bankcard_last_four}.")

    class Meta(Record.Meta):
        abstract = True

    def __str__(self) -> str:
        return self.number


class Transaction(Payment):
    """What was done with an order's money; each kind of them has a view of its own."""

    class Meta(Payment.Meta):
        constraints = (
            only_one("number"),
            models.CheckConstraint(
                condition=models.Q(amount_cents__gte=0), name="transaction_is_not_negative"
            ),
        )
        indexes = (*Record.Meta.indexes, by("kind", "created_at"))


class Authorization(Payment):
    """Money that was reserved."""

    class Meta(Payment.Meta):
        managed = False
        indexes = ()


class Capture(Payment):
    """Money that was taken."""

    class Meta(Payment.Meta):
        managed = False
        indexes = ()


class Void(Payment):
    """Money that was released again."""

    class Meta(Payment.Meta):
        managed = False
        indexes = ()


class Refund(Payment):
    """Money that was given back."""

    class Meta(Payment.Meta):
        managed = False
        indexes = ()


class DisputeType(models.TextChoices):
    """A warning, or money taken back."""

    ALERT = "alert"
    CHARGEBACK = "chargeback"


class DisputeStatus(models.TextChoices):
    """How far a dispute is."""

    NEW = "new"
    OPEN = "open"
    RESOLVED = "resolved"


class Dispute(Record):
    """A customer's claim, to the bank, that a payment was wrong."""

    id = id_field("dsp")
    type = one_of(DisputeType, DisputeType.ALERT)
    status = one_of(DisputeStatus, DisputeStatus.NEW)
    resolution = text("won, lost, refunded…")
    order = part_of("longshore_commerce.Order", "disputes")
    transaction = part_of(Transaction, "disputes")
    currency_code = currency()
    amount_cents = cents()
    arn = text("Acquirer reference number.")
    case_number = text("The bank's.")
    happened_at = moment()

    class Meta(Record.Meta):
        indexes = (*Record.Meta.indexes, by("happened_at"))

    def __str__(self) -> str:
        return self.case_number or self.id
