"""Commerce demo data: sizes of the shop and references of orders."""

import pytest
from django.core.management import CommandError, call_command

from longshore.domains.commerce.models import Market, Order

pytestmark = pytest.mark.django_db

ORDERS = 400


def load(organization: str = "acme", orders: int = ORDERS) -> None:
    call_command("demo_data", organization=organization, rows=0, orders=orders, verbosity=0)


@pytest.mark.parametrize("orders", [1, 7])
def test_smallest_shops_are_complete(orders: int) -> None:
    load(orders=orders)
    assert Order.objects.count() == orders
    assert Market.objects.count() == 4


def test_negative_number_of_orders_is_rejected() -> None:
    with pytest.raises(CommandError, match="--orders must be 0 or at least 1, but is -1"):
        load(orders=-1)


def test_orders_with_a_reference_to_a_legacy_system_exist() -> None:
    load()
    assert Order.objects.filter(reference__isnull=False, reference_origin="legacy").exists()
