"""Commerce demo data: sizes of shops and references to other systems."""

import pytest
from django.core.management import CommandError, call_command

from longshore.domains.commerce.models import Market, Order

pytestmark = pytest.mark.django_db


def load(orders: int) -> None:
    call_command("demo_data", organization="acme", rows=0, orders=orders, verbosity=0)


@pytest.mark.slow
@pytest.mark.parametrize("orders", [1, 7])
def test_smallest_shops_are_complete(orders: int) -> None:
    load(orders=orders)
    assert Order.objects.count() == orders
    assert Market.objects.count() == 4


def test_negative_number_of_orders_is_rejected() -> None:
    with pytest.raises(CommandError, match="--orders must be 0 or at least 1, but is -1"):
        load(orders=-1)


@pytest.mark.slow
def test_some_orders_have_a_reference_of_another_system() -> None:
    load(orders=400)
    assert Order.objects.filter(reference__isnull=False, reference_origin="legacy").exists()
