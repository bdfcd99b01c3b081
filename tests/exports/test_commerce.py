"""Exports and lists of every commerce resource hold the organization's records only."""

import csv
import io
import json
from decimal import Decimal
from typing import Any

import pytest

from exports.reading.stream import ExportStream
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from longshore.domains.commerce.models import Tag
from longshore.domains.commerce.models.base import Record
from longshore.domains.commerce.models.tags import Taggable
from longshore.resources.registry import Resource, registry
from tests.conftest import KeyClient
from tests.records import a_record

pytestmark = pytest.mark.django_db(transaction=True)

RESOURCES = [resource for resource in registry if issubclass(resource.model, Record)]


def exported(organization: Organization, resource: Resource, file_format: str) -> str:
    spec = parse_export({"resource": resource.name, "format": file_format})
    return b"".join(ExportStream(spec, organization.pk)).decode()


def test_all_commerce_models_are_resources() -> None:
    assert len(RESOURCES) == 47


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.name)
def test_exports_and_lists_hold_the_organizations_records(
    resource: Resource, acme: Organization, globex: Organization, alice: KeyClient
) -> None:
    records = [a_record(resource.model, acme, metadata={"a": [1, None]}) for _ in range(2)]
    a_record(resource.model, globex)
    if isinstance(records[0], Taggable):
        for name in ("new", "old"):
            records[0].tags.add(a_record(Tag, acme, name=name))
    own = set(resource.model._base_manager.filter(organization=acme).values_list("pk", flat=True))
    assert {record.pk for record in records} <= own

    header, *rows = csv.reader(io.StringIO(exported(acme, resource, "csv")))
    assert header == list(resource.default_columns or resource.names)
    assert {row[header.index("id")] for row in rows} == own

    objects: list[dict[str, Any]] = json.loads(exported(acme, resource, "json"))
    assert {exported["id"] for exported in objects} == own
    first = next(exported for exported in objects if exported["id"] == records[0].pk)
    assert list(first) == list(resource.names)
    assert first["metadata"] == {"a": [1, None]}
    if isinstance(records[0], Taggable):
        assert [tag["name"] for tag in first["tags"]] == ["new", "old"]

    listed = alice.get(f"/v1/{resource.plural}").json()["results"]
    assert {record["id"] for record in listed} == own


def test_amounts_are_exported_as_numbers_and_formatted_by_currency(acme: Organization) -> None:
    price = registry.get("price")
    assert price is not None
    for currency, cents in (
        ("USD", 123456789),
        ("EUR", 5),
        ("GBP", 0),
        ("JPY", 1500),
        ("KWD", 12345),
        ("CHF", 100),
    ):
        a_record(price.model, acme, currency_code=currency, amount_cents=cents)
    by_currency = {row["currency_code"]: row for row in json.loads(exported(acme, price, "json"))}
    amounts = {
        code: (row["amount_float"], row["formatted_amount"]) for code, row in by_currency.items()
    }
    assert amounts == {
        "USD": (1234567.89, "$1,234,567.89"),
        "EUR": (0.05, "€0.05"),
        "GBP": (0, "£0.00"),
        "JPY": (1500, "¥1,500"),
        "KWD": (12.345, "KWD 12.345"),
        "CHF": (1, "CHF 1.00"),
    }
    assert by_currency["USD"]["compare_at_amount_float"] is None
    assert by_currency["USD"]["formatted_compare_at_amount"] is None


def test_negative_amounts_are_formatted_with_a_sign(acme: Organization) -> None:
    order = registry.get("order")
    assert order is not None
    a_record(order.model, acme, discount_amount_cents=-123400, adjustment_amount_cents=-(2**63))
    [row] = json.loads(exported(acme, order, "json"), parse_float=Decimal)
    assert row["formatted_discount_amount"] == "-$1,234.00"
    assert row["discount_amount_float"] == -1234
    # The lowest 64-bit integer has no positive counterpart.
    assert row["formatted_adjustment_amount"] == "-$92,233,720,368,547,758.08"
    assert row["adjustment_amount_float"] == Decimal("-92233720368547758.08")
