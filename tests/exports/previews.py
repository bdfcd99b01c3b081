"""Shipments that previews show, and requests for them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Shipment
from tests.factories import LocationFactory, ShipmentFactory

START = datetime(2024, 7, 1, 12, tzinfo=UTC)
COLUMNS = ["id", "status", "amount", "paid", "created_at", "tags", "metadata", "location", "notes"]


def create_shipments(acme: Organization, globex: Organization) -> list[Shipment]:
    """Create 30 shipments of acme, oldest first, and one of globex."""
    dock = LocationFactory.create(organization=acme, name='Dock, "B"')
    ShipmentFactory.create(organization=globex, notes="SECRET")
    return [
        ShipmentFactory.create(
            organization=acme,
            created_at=START + timedelta(hours=hour, microseconds=hour),
            amount=hour * 100 if hour % 3 else None,
            paid=hour % 2,
            location=dock if hour % 2 else None,
            tags=["cold", "=1+1"][: hour % 3],
            metadata={"a": {"b": hour}} if hour % 4 else {},
            notes=["", None, "-cmd", "line\nbreak; 山田"][hour % 4],
        )
        for hour in range(30)
    ]


def body(**changes: Any) -> dict[str, Any]:
    """Return a request for shipments, newest first."""
    options = {"order_by": "created_at", "direction": "desc"} | changes.pop("options", {})
    output = {"columns": COLUMNS, "timezone": "Europe/Paris"} | changes.pop("output", {})
    return {"resource": "shipment", "options": options, "csv_field_options": output, **changes}
