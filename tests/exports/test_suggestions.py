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
        (options(created_at={"in": ["2024-01-01", "2025"]}), "in:2024-01-01,2025"),
        (options(created_at={"is_null": True}), "is_null"),
        (options(status={"in": ["delivered"]}), "in:delivered"),
        (options(tracking_number={"in": ["a, b", 'c"', '"d"']}), 'in:"a, b",c","""d"""'),
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


@pytest.mark.parametrize(
    "body",
    [
        {"resource": "order", "options": {"is_test": {"gte": 1}}},
        {"resource": "order", "options": {"is_test": {"equals": "yes"}}},
        {"resource": "order", "options": {"is_test": "gteq:true"}},
        options(status={"gte": "delivered"}),
        options(status={"equals": "gone"}),
        options(created_at={"gte": None}),
        options(created_at={"gte": ["2024-01-01"]}),
        options(created_at={"gte": {"year": 2024}}),
        options(created_at={"gte": "soon"}),
        options(created_at="gteq:soon"),
        options(created_at={"gte": "soon", "lte": "2025"}),
        options(created_at={"bwi": ["2024"]}),
        options(created_at={"in": []}),
        options(created_at={"is_null": False}),
    ],
)
@pytest.mark.django_db
def test_no_error_suggests_an_operand_that_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_export(body)
    assert "Did you mean" not in caught.value.message
