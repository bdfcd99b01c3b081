"""Requests with a probable intention: their errors suggest it."""

from typing import Any

import pytest

from exports.request.parser import parse_export
from longshore.api.errors import InvalidInput

SHIPMENT = {"resource": "shipment"}


def options(**options: Any) -> dict[str, Any]:
    return SHIPMENT | {"options": options}


def output(**output: Any) -> dict[str, Any]:
    return SHIPMENT | {"csv_field_options": output}


@pytest.mark.parametrize(
    ("body", "meant"),
    [
        ({"resource": "shipments"}, "shipment"),
        ({"resource": "shipmnt"}, "shipment"),
        ({"type": "orders_list"}, "order_list"),
        (options(status="delivred"), "delivered"),
        (options(status="DELIVERED"), "delivered"),
        (options(status=["delivred"]), "delivered"),
        (options(creatd_at="2024-01-01"), "created_at"),
        (options(created_at={"gte": "2024-01-01"}), "gte:2024-01-01"),
        (options(created_at={"gte": "2024", "lte": "2025"}), "bwi:2024,2025"),
        (options(created_at="gteq:2024-01-01"), "gte:2024-01-01"),
        (options(**{"location.nam": "Dock"}), "location.name"),
        (options(order_by="-creatd_at"), "created_at"),
        (options(direction="des"), "desc"),
        (options(limit="al"), "all"),
        (SHIPMENT | {"filters": {"created_at": "2024-01-01"}}, "created_at_eq"),
        (SHIPMENT | {"filters": {"created_at_gtq": "2024-01-01"}}, "gteq"),
        (SHIPMENT | {"status": "delivered"}, "options.status"),
        (SHIPMENT | {"order_by": "created_at"}, "options.order_by"),
        (SHIPMENT | {"columns": ["id"]}, "csv_field_options.columns"),
        (SHIPMENT | {"formt": "csv"}, "format"),
        (SHIPMENT | {"includes": ["locaton"]}, "location"),
        (SHIPMENT | {"fields": ["statu"]}, "status"),
        (output(columns=["locaton.name"]), "location.name"),
        (output(columns=["id", "status"], column_order=["statu"]), "status"),
        (output(timezone="New_York"), "America/New_York"),
    ],
)
@pytest.mark.django_db
def test_an_error_suggests_the_probable_intention(body: dict[str, Any], meant: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_export(body)
    assert f"Did you mean '{meant}'?" in caught.value.message
