"""Clients of 29next's API, and orders to export."""

from datetime import UTC, datetime

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from longshore.accounts.models import Organization
from longshore.domains.commerce.models import Order
from tests.conftest import KeyClient
from tests.exports.conftest import storage, worker
from tests.records import a_record

__all__ = ["storage", "worker"]

API = "/api/admin"


class ShopClient(APIClient):
    """A client that sends the headers that 29next documents."""

    default_format = "json"

    def __init__(self, key: str, version: str = "2024-04-01") -> None:
        headers = {"Authorization": f"Bearer {key}", "X-29next-API-Version": version}
        super().__init__(headers=headers)


@pytest.fixture(autouse=True)
def no_rate_limit(settings: Settings) -> None:
    """Let tests send more than four requests a second."""
    settings.NEXTCOMMERCE_RATE_LIMIT = ""


@pytest.fixture
def shop(alice: KeyClient) -> ShopClient:
    """A client of acme."""
    return ShopClient(alice.key)


@pytest.fixture
def other_shop(charlie: KeyClient) -> ShopClient:
    """A client of globex."""
    return ShopClient(charlie.key)


@pytest.fixture
def orders(acme: Organization, globex: Organization) -> list[Order]:
    """Orders of acme before, at the ends of, inside and after the first quarter of 2025."""
    moments = [
        datetime(2024, 12, 31, 23, 59, 59, 999_999, UTC),
        datetime(2025, 1, 1, tzinfo=UTC),
        datetime(2025, 2, 14, 12, tzinfo=UTC),
        datetime(2025, 3, 31, 23, 59, 59, 500_000, UTC),
        datetime(2025, 4, 1, tzinfo=UTC),
    ]
    a_record(Order, globex, number="G1", placed_at=moments[2], is_test=False)
    a_record(Order, acme, number="T1", placed_at=moments[2], is_test=True)
    return [
        a_record(
            Order,
            acme,
            number=f"A{index}",
            placed_at=moment,
            is_test=False,
            total_cost_amount_cents=1234,
        )
        for index, moment in enumerate(moments)
    ]
