"""Rows of the many-to-many tables of tags: half of the records have no tags, others one or two."""

from collections.abc import Iterable, Iterator

from django.db.models import Model

from longshore.domains.commerce import models
from longshore.domains.commerce.demo.plan import Plan
from longshore.domains.commerce.demo.sales import Sale, sales_with
from longshore.domains.commerce.models.tags import Taggable
from longshore.domains.demo.chance import scatter
from longshore.domains.demo.load import TableRows

# Model, the prefix of its ids.
_SHOP = (
    (models.Customer, "cus"),
    (models.Sku, "sku"),
    (models.Bundle, "bun"),
    (models.Coupon, "cpn"),
    (models.GiftCard, "gift"),
)
_SALES = ((models.Order, "ord"), (models.OrderSubscription, "osub"), (models.Return, "ret"))

MODELS: tuple[type[Model], ...] = tuple(model.tags.through for model, _ in (*_SHOP, *_SALES))


def _columns(model: type[Taggable]) -> str:
    return f"{model._meta.model_name}_id tag_id"


def shop_tags(plan: Plan) -> Iterator[TableRows]:
    for model, prefix in _SHOP:
        name, count = plan.names[prefix], plan.counts[prefix]
        # By number, not at random: there are few bundles.
        keys = (
            (name(number), scatter(number ^ plan.salt) << 2 | number & 3) for number in range(count)
        )
        yield model.tags.through, _columns(model), _lines(plan, keys)


def sale_tags(plan: Plan, sales: Iterable[Sale]) -> Iterator[TableRows]:
    for model, prefix in _SALES:
        keys = ((sale.id(prefix), sale.bits >> 52) for sale in sales_with(prefix, sales))
        yield model.tags.through, _columns(model), _lines(plan, keys)


def _lines(plan: Plan, keys: Iterable[tuple[str, int]]) -> Iterator[str]:
    tag, tags = plan.names["tag"], plan.counts["tag"]
    for key, bits in keys:
        for place in range((1, 2, 0, 0)[bits & 3]):
            yield f"{key}\t{tag(((bits >> 2) + place) % tags)}"
