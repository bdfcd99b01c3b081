"""Orders, their lines and the options of lines."""

from django.db import models

from longshore.domains.commerce.models.base import (
    Record,
    by,
    cents,
    count,
    currency,
    flag,
    moment,
    one_of,
    only_one,
    optional_cents,
    part_of,
    related,
)
from longshore.domains.commerce.models.catalog import (
    Bundle,
    Market,
    Sku,
    SkuOption,
)
from longshore.domains.commerce.models.customers import Address, Customer
from longshore.domains.commerce.models.payments import PaymentMethod
from longshore.domains.commerce.models.shipping import ShippingMethod
from longshore.domains.commerce.models.tags import Taggable
from longshore.resources.fields import (
    id_field,
    json_object,
    search_field,
    search_index,
    sorted_index,
    text,
)


class OrderStatus(models.TextChoices):
    """The status of an order."""

    DRAFT = "draft"
    PENDING = "pending"
    PLACING = "placing"
    PLACED = "placed"
    EDITING = "editing"
    APPROVED = "approved"
    CANCELLED = "cancelled"


class PaymentStatus(models.TextChoices):
    """The payment status of an order."""

    UNPAID = "unpaid"
    PENDING = "pending"
    AUTHORIZED = "authorized"
    PARTIALLY_AUTHORIZED = "partially_authorized"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    PAID = "paid"
    PARTIALLY_PAID = "partially_paid"
    VOIDED = "voided"
    PARTIALLY_VOIDED = "partially_voided"
    REFUNDED = "refunded"
    PARTIALLY_REFUNDED = "partially_refunded"
    FREE = "free"


class FulfillmentStatus(models.TextChoices):
    """The fulfillment status of an order."""

    NOT_REQUIRED = "not_required"
    UNFULFILLED = "unfulfilled"
    ON_HOLD = "on_hold"
    REJECTED = "rejected"
    PROCESSING = "processing"
    IN_PROGRESS = "in_progress"
    INCOMPLETE = "incomplete"
    FULFILLED = "fulfilled"


class Order(Taggable):
    """An order of a customer. Its amounts are sums of the amounts of its lines."""

    id = id_field("ord")
    number = models.TextField()
    status = one_of(OrderStatus, OrderStatus.DRAFT, "C")
    payment_status = one_of(PaymentStatus, PaymentStatus.UNPAID)
    fulfillment_status = one_of(FulfillmentStatus, FulfillmentStatus.UNFULFILLED)
    is_test = flag("Test order: without payment and delivery.")
    source = text("Source of the order: web, api, subscription…")
    guest = flag("Ordered without an account.")
    customer = related(Customer, "orders")
    customer_email = text()
    language_code = text("ISO 639-1 code.")
    ip_address = text()
    market = related(Market, "orders")
    shipping_address = related(Address, "shipped_orders")
    billing_address = related(Address, "billed_orders")
    payment_method = related(PaymentMethod, "orders")
    shipping_method = related(ShippingMethod, "orders")
    country_code = text("Country of the shipping address.")
    coupon_code = text()
    gift_card_code = text()
    currency_code = currency()
    tax_included = flag("Whether line amounts include the tax.")
    tax_rate = models.FloatField(default=0, help_text="A fraction: 0.2 is 20%.")
    skus_count = count("Total quantity of SKUs.")
    subtotal_amount_cents = cents("Total of all lines before discounts.")
    discount_amount_cents = cents("Discount, zero or negative.")
    adjustment_amount_cents = cents()
    gift_card_amount_cents = cents("Amount paid by gift card, zero or negative.")
    shipping_amount_cents = cents()
    payment_method_amount_cents = cents("Fee of the payment method.")
    total_tax_amount_cents = cents()
    total_taxable_amount_cents = cents("Total without tax.")
    total_amount_cents = cents("Amount to pay, without tax unless the prices include it.")
    total_amount_with_taxes_cents = cents("Amount to pay, including tax.")
    total_cost_amount_cents = cents("Cost of the goods for the shop.")
    attribution = json_object("{utm_source, utm_medium, utm_campaign, funnel, affiliate, gclid}.")
    placed_at = moment()
    approved_at = moment()
    cancelled_at = moment()
    payment_updated_at = moment()
    fulfillment_updated_at = moment()
    archived_at = moment()
    search_text = search_field("number", "customer_email", "reference")

    class Meta(Taggable.Meta):
        constraints = (
            only_one("number"),
            models.CheckConstraint(
                condition=models.Q(
                    total_amount_with_taxes_cents=models.F("total_taxable_amount_cents")
                    + models.F("total_tax_amount_cents")
                ),
                name="order_is_taxed_in_full",
            ),
        )
        indexes = (
            *Record.Meta.indexes,
            by("placed_at"),
            by("status", "created_at"),
            by("customer_email"),
            sorted_index("number", "order_in_order_of_number"),
            sorted_index("customer_email", "order_in_order_of_email"),
            search_index("order_words"),
        )

    def __str__(self) -> str:
        return self.number


class ItemType(models.TextChoices):
    """The type of an order line."""

    SKUS = "skus"
    BUNDLES = "bundles"
    GIFT_CARDS = "gift_cards"
    SHIPMENTS = "shipments"
    PAYMENT_METHODS = "payment_methods"
    PROMOTIONS = "promotions"
    ADJUSTMENTS = "adjustments"


class LineItem(Record):
    """A line of an order."""

    id = id_field("lin")
    order = part_of(Order, "line_items")
    item_type = one_of(ItemType, ItemType.SKUS)
    sku = related(Sku, "line_items")
    sku_code = text("Code at the time of the order.")
    bundle = related(Bundle, "line_items")
    bundle_code = text("Code at the time of the order.")
    name = models.TextField(blank=True)
    image_url = text()
    product_id = text()
    product_title = text()
    variant_title = text()
    quantity = count(default=1)
    current_quantity = count("Quantity without canceled and returned pieces.", default=1)
    is_upsell = flag("Added after the order was placed.")
    requires_shipping = flag(default=True)
    currency_code = currency()
    tax_included = flag("Whether the amounts include the tax, as in the order.")
    unit_amount_cents = cents()
    compare_at_amount_cents = optional_cents("Original price of one piece.")
    unit_cost_amount_cents = cents("Cost of one piece for the shop.")
    options_amount_cents = cents("Total of the options.")
    discount_amount_cents = cents("Discount, zero or negative.")
    total_amount_cents = cents("Total of all pieces and options, minus the discount.")
    tax_amount_cents = cents()
    tax_rate = models.FloatField(default=0, help_text="A fraction: 0.2 is 20%.")

    class Meta(Record.Meta):
        constraints = (
            models.CheckConstraint(
                condition=models.Q(
                    total_amount_cents=models.F("unit_amount_cents") * models.F("quantity")
                    + models.F("options_amount_cents")
                    + models.F("discount_amount_cents")
                ),
                name="line_item_adds_up",
            ),
        )

    def __str__(self) -> str:
        return f"{self.quantity} of {self.sku_code or self.name}"


class LineItemOption(Record):
    """An option of an order line, such as engraving or gift wrap."""

    id = id_field("liop")
    line_item = part_of(LineItem, "line_item_options")
    sku_option = related(SkuOption, "line_item_options")
    name = models.TextField()
    quantity = count(default=1)
    currency_code = currency()
    unit_amount_cents = cents()
    total_amount_cents = cents()
    delay_hours = count("Delay of the shipment in hours.")
    options = json_object("Input of the customer: {text: …}.")

    def __str__(self) -> str:
        return self.name
