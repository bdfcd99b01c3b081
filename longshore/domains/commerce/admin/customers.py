"""Customers in the admin, with their addresses, subscriptions and payment sources."""

from django.contrib import admin

from longshore.domains.commerce.admin.records import CommerceAdmin, PartInline
from longshore.domains.commerce.models import (
    Address,
    Customer,
    CustomerAddress,
    CustomerPaymentSource,
    CustomerSubscription,
    Order,
    OrderSubscription,
)


class AddressInline(PartInline):
    model = CustomerAddress
    columns = ("address",)


class OrderInline(PartInline):
    model = Order
    columns = ("status", "placed_at", "total_amount_with_taxes_cents")


class RecurringOrderInline(PartInline):
    model = OrderSubscription
    columns = ("status", "frequency", "total_amount_cents", "next_run_at")


class PaymentSourceInline(PartInline):
    model = CustomerPaymentSource
    columns = ("payment_method", "payment_source_type")


@admin.register(Customer)
class CustomerAdmin(CommerceAdmin):
    columns = (
        "status",
        "first_name",
        "last_name",
        "orders_count",
        "total_spent_amount_cents",
        "is_blocked",
    )
    search_fields = ("search_text",)
    readonly_fields = ("orders_count", "subscriptions_count", "total_spent_amount_cents")
    inlines = (OrderInline, RecurringOrderInline, AddressInline, PaymentSourceInline)


@admin.register(Address)
class AddressAdmin(CommerceAdmin):
    columns = ("first_name", "last_name", "zip_code", "country_code", "business")
    search_fields = ("line_1", "city", "last_name", "company")


@admin.register(CustomerAddress)
class CustomerAddressAdmin(CommerceAdmin):
    columns = ("customer", "address")
    search_fields = ("customer__email",)


@admin.register(CustomerSubscription)
class CustomerSubscriptionAdmin(CommerceAdmin):
    columns = ("customer",)
    search_fields = ("customer_email",)


@admin.register(CustomerPaymentSource)
class CustomerPaymentSourceAdmin(CommerceAdmin):
    columns = ("customer", "payment_method", "payment_source_type")
    search_fields = ("name", "customer__email")
