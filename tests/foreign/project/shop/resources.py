from accounts.models import Club
from django.db.models import Q

from longshore.resources.registry import Resource, register
from longshore.resources.relations import Relation
from shop.models import Product, Review

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
        name="review",
        plural="reviews",
        model=Review,
        organization="product__club__organization",
        date_field="written",
        where=Q(deleted_at=None),
        hidden=frozenset({"mood"}),
        relations=(Relation("product", label="name", fields=("id", "name")),),
        writable=(),
    )
)
