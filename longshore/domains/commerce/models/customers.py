"""Customers with their addresses, subscriptions and payment sources."""

from django.db import models
from django.utils import timezone

from longshore.domains.commerce.models.base import (
    Record,
    by,
    cents,
    count,
    currency,
    flag,
    one_of,
    only_one,
    part_of,
    related,
)
from longshore.domains.commerce.models.tags import Taggable
from longshore.resources.fields import (
    id_field,
    search_field,
    search_index,
    sorted_index,
    text,
)


class CustomerStatus(models.TextChoices):
    """The status of a customer: without orders, with one order, with several."""

    PROSPECT = "prospect"
    ACQUIRED = "acquired"
    REPEAT = "repeat"


class UserType(models.TextChoices):
    """The purpose of an account."""

    CUSTOMER = "customer"
    LEAD = "lead"
    DASHBOARD = "dashboard"


class Customer(Taggable):
    """A customer or prospect."""

    id = id_field("cus")
    email = models.TextField()
    status = one_of(CustomerStatus, CustomerStatus.PROSPECT, "C")
    user_type = one_of(UserType, UserType.CUSTOMER)
    first_name = text()
    last_name = text()
    phone_number = text("International format: +14155550123.")
    language_code = text("ISO 639-1 code.")
    accepts_marketing = flag()
    is_blocked = flag("Not allowed to order.")
    ip_address = text("IP address at the creation of the account.")
    tax_exemption_code = text()
    orders_count = count()
    subscriptions_count = count()
    currency_code = currency()
    total_spent_amount_cents = cents("Total of all approved orders.")
    joined_at = models.DateTimeField(default=timezone.now)
    search_text = search_field("email", "first_name", "last_name", "phone_number", "reference")

    class Meta(Taggable.Meta):
        constraints = (only_one("email"),)
        indexes = (
            *Record.Meta.indexes,
            by("joined_at"),
            by("status", "created_at"),
            sorted_index("email", "customer_in_order_of_email"),
            search_index("customer_words"),
        )

    def __str__(self) -> str:
        return self.email


class Address(Record):
    """A shipping or billing address."""

    id = id_field("adr")
    business = flag("Address of a company.")
    first_name = text()
    last_name = text()
    company = text()
    line_1 = models.TextField(blank=True)
    line_2 = text()
    line_3 = text()
    line_4 = text()
    city = models.TextField(blank=True)
    zip_code = text()
    state_code = text()
    country_code = models.CharField(max_length=2, help_text="ISO 3166-1 alpha-2 code.")
    phone = text()
    email = text()
    notes = text("Notes for the carrier.")
    lat = models.FloatField(null=True, blank=True, help_text="Latitude in degrees.")
    lng = models.FloatField(null=True, blank=True, help_text="Longitude in degrees.")
    billing_info = text("Billing information, such as a tax number.")

    def __str__(self) -> str:
        return f"{self.line_1}, {self.city}"


class CustomerAddress(Record):
    """An address in the address book of a customer."""

    id = id_field("cad")
    customer = part_of(Customer, "customer_addresses")
    address = part_of(Address, "customer_addresses")

    class Meta(Record.Meta):
        constraints = (
            models.UniqueConstraint(
                fields=["customer", "address"], name="customer_keeps_an_address_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.customer} at {self.address}"


class CustomerSubscription(Record):
    """A subscription of a customer to mailings."""

    id = id_field("csub")
    customer = related(Customer, "customer_subscriptions")
    customer_email = models.TextField()

    def __str__(self) -> str:
        return self.customer_email


class CustomerPaymentSource(Record):
    """A card or account that a customer saved for further orders."""

    id = id_field("cps")
    name = models.TextField(
        blank=True, help_text="Name for the customer, such as Visa ending in 4242."
    )
    customer = part_of(Customer, "customer_payment_sources")
    payment_method = related("longshore_commerce.PaymentMethod", "customer_payment_sources")
    payment_source_type = text("credit_cards, wire_transfers…")
    payment_source_token = text("Id in the payment gateway.")
    card_first_six = text()
    card_last_four = text()

    def __str__(self) -> str:
        return self.name
