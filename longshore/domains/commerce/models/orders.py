"""What was bought: orders, their lines, and what was done to these."""

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
    """How far an order is."""

    DRAFT = "draft"
    PENDING = "pending"
    PLACING = "placing"
    PLACED = "placed"
    EDITING = "editing"
    APPROVED = "approved"
    CANCELLED = "cancelled"


class PaymentStatus(models.TextChoices):
    """What became of the money."""

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
    """What became of the goods."""

    NOT_REQUIRED = "not_required"
    UNFULFILLED = "unfulfilled"
    ON_HOLD = "on_hold"
    REJECTED = "rejected"
    PROCESSING = "processing"
    IN_PROGRESS = "in_progress"
    INCOMPLETE = "incomplete"
    FULFILLED = "fulfilled"


class Order(Taggable):
    """A customer's purchase; its amounts are sums of those of its lines."""

    id = id_field("ord")
    number = models.TextField()
    status = one_of(OrderStatus, OrderStatus.DRAFT, "C")
    payment_status = one_of(PaymentStatus, PaymentStatus.UNPAID)
    fulfillment_status = one_of(FulfillmentStatus, FulfillmentStatus.UNFULFILLED)
    is_test = flag("Nobody has paid, and nothing is sent.")
    source = text("Where it came from: web, api, subscription…")
    guest = flag("Ordered without an account.")
    customer = related(Customer, "orders")
    customer_email = text()
    language_code = text("ISO 639-1.")
    ip_address = text()
    market = related(Market, "orders")
    shipping_address = related(Address, "shipped_orders")
    billing_address = related(Address, "billed_orders")
    payment_method = related(PaymentMethod, "orders")
    shipping_method = related(ShippingMethod, "orders")
    country_code = text("Of the shipping address.")
    coupon_code = text()
    gift_card_code = text()
    currency_code = currency()
    tax_included = flag("The prices of its lines hold the tax.")
    tax_rate = models.FloatField(default=0, help_text="A fraction: 0.2 is 20%.")
    skus_count = count("Pieces of all SKUs.")
    subtotal_amount_cents = cents("Of all lines, before discounts.")
    discount_amount_cents = cents("Zero or less.")
    adjustment_amount_cents = cents()
    gift_card_amount_cents = cents("Zero or less.")
    shipping_amount_cents = cents()
    payment_method_amount_cents = cents("What paying costs.")
    total_tax_amount_cents = cents()
    total_taxable_amount_cents = cents("The total without the tax.")
    total_amount_cents = cents("What is to be paid, less a tax that comes on top.")
    total_amount_with_taxes_cents = cents("What is to be paid.")
    total_cost_amount_cents = cents("What the goods cost the shop.")
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
    """What a line charges or credits."""

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
    sku_code = text("As ordered.")
    bundle = related(Bundle, "line_items")
    bundle_code = text("As ordered.")
    name = models.TextField(blank=True)
    image_url = text()
    product_id = text()
    product_title = text()
    variant_title = text()
    quantity = count(default=1)
    current_quantity = count("Less what was cancelled or came back.", default=1)
    is_upsell = flag("Added after the order was placed.")
    requires_shipping = flag(default=True)
    currency_code = currency()
    tax_included = flag("Its amounts include the tax, as those of its order do.")
    unit_amount_cents = cents()
    compare_at_amount_cents = optional_cents("What one piece is said to have cost.")
    unit_cost_amount_cents = cents("What one piece cost the shop.")
    options_amount_cents = cents("Of its options.")
    discount_amount_cents = cents("Zero or less.")
    total_amount_cents = cents("Of all pieces with their options, less the discount.")
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
    """What was done to a line: engraving, gift wrap."""

    id = id_field("liop")
    line_item = part_of(LineItem, "line_item_options")
    sku_option = related(SkuOption, "line_item_options")
    name = models.TextField()
    quantity = count(default=1)
    currency_code = currency()
    unit_amount_cents = cents()
    total_amount_cents = cents()
    delay_hours = count("By which the order goes out later.")
    options = json_object("What the customer wrote: {text: …}.")

    def __str__(self) -> str:
        return self.name
