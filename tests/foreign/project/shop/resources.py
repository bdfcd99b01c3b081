from accounts.models import Club
from django.db.models import Q

from longshore.resources.registry import Resource, register
from longshore.resources.relations import Relation
from shop.models import Book, Country, Invoice, Listed, Product, Review

register(
    Resource(
        name="country",
        plural="countries",
        model=Country,
        # Rows of everybody.
        organization=None,
        date_field=None,
    )
)
register(Resource(name="club", plural="clubs", model=Club, date_field="founded", writable=()))
register(
    Resource(
        name="product",
        plural="products",
        model=Product,
        organization="club__organization",
        date_field="added",
        key=("club_id", "sku"),
        relations=(Relation("club", fields=("id", "name")),),
    )
)
register(
    Resource(
        name="book",
        plural="books",
        model=Book,
        organization="club__organization",
        date_field="added",
    )
)
register(
    Resource(
        name="listed",
        plural="all_listed",
        model=Listed,
        organization="club__organization",
        date_field="added",
        where=Q(is_listed=True),
        writable=(),
    )
)
register(
    Resource(
        name="review",
        plural="reviews",
        model=Review,
        organization="product__club__organization",
        date_field="written",
        where=Q(deleted_at=None),
        relations=(Relation("product", label="name", fields=("id", "name")),),
        # Nobody moves a review to another product or author.
        writable=("mood", "text", "written", "deleted_at"),
    )
)
register(
    Resource(
        name="invoice",
        plural="invoices",
        model=Invoice,
        organization="club__organization",
        date_field="issued",
    )
)
