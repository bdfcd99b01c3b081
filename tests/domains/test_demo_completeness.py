"""The demo data of `make run`: no column is empty or constant, and every status occurs."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django.plugin import DjangoDbBlocker

from exports.reading.stream import ExportStream
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from longshore.domains.demo.management.commands.demo import ORGANIZATIONS
from longshore.domains.demo.sources import demo_sources
from longshore.domains.logistics.models.parcels import ParcelStatus
from longshore.resources.export_types import export_types
from longshore.resources.registry import registry
from tests.conftest import delete_committed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo"), pytest.mark.slow]

REQUESTS = sorted((Path(__file__).parent.parent / "exports" / "requests").glob("*.json"))
KINDS = ("authorization", "capture", "void", "refund")
TYPES = ("authorize", "debit", "void", "refund")

# Columns that are empty or constant, with the reason.
CONSTANT = {
    **{f"{kind}.{column}": "a view of one kind" for kind in KINDS for column in ("kind", "type")},
    **{
        f"authorization.{column}": "an authorization has no parent"
        for column in ("parent_id", "parent")
    },
    **{
        f"{kind}.is_disputed": "only captures are disputed"
        for kind in ("authorization", "void", "refund")
    },
    "open_cart_list.Abandoned": "every demo cart is older than the half hour after which a cart "
    "is abandoned",
}
# Choices that do not occur, by column.
INCOMPLETE = {
    # Views of transactions of one kind.
    **{f"{kind}.kind": {*KINDS} - {kind} for kind in KINDS},
    **{f"{kind}.type": {*TYPES} - {shown} for kind, shown in zip(KINDS, TYPES, strict=True)},
    # Only statuses that end a delivery close shipments.
    "tracker.auto_close_shipments_status": {*ParcelStatus.values}
    - {"delivered", "completed", "pickup_available"},
}


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Load and commit both organizations for all tests: exports use other connections."""
    with django_db_blocker.unblock():
        sizes = {source.unit: source.sample_size for source in demo_sources()}
        for slug in ORGANIZATIONS:
            call_command("demo_data", organization=slug, **sizes, verbosity=0)
        yield
        delete_committed()


def table(slug: str, **body: Any) -> dict[str, set[str]]:
    """Return the values of each column of an exported CSV file."""
    organization = Organization.objects.get(slug=slug)
    spec = parse_export(body, organization.timezone)
    text = b"".join(ExportStream(spec, organization.pk)).decode("utf-8-sig")
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    return {name: {row[place] for row in rows} for place, name in enumerate(header)}


def uniform_columns(name: str, columns: Mapping[str, set[str]]) -> set[str]:
    """Return the columns with fewer than two different non-empty values."""
    nothing = {"", "{}", "[]"}
    return {f"{name}.{column}" for column, values in columns.items() if len(values - nothing) < 2}


@pytest.mark.parametrize("slug", ORGANIZATIONS)
def test_columns_of_resources_are_neither_empty_nor_constant(slug: str) -> None:
    found = set()
    for name in registry.names():
        columns = table(slug, resource=name, csv_field_options={"columns": "all"})
        # An export has one organization.
        assert len(columns.pop("organization_id")) == 1
        found |= uniform_columns(name, columns)
    assert found == {column for column in CONSTANT if column.partition(".")[0] in registry.names()}


@pytest.mark.parametrize("slug", ORGANIZATIONS)
def test_columns_of_export_types_are_neither_empty_nor_constant(slug: str) -> None:
    found = set()
    for code in export_types.codes():
        found |= uniform_columns(code, table(slug, type=code))
    assert found == {
        column for column in CONSTANT if column.partition(".")[0] in export_types.codes()
    }


@pytest.mark.parametrize("slug", ORGANIZATIONS)
def test_every_choice_of_every_column_occurs(slug: str) -> None:
    missing = {}
    for resource in map(registry.get, registry.names()):
        assert resource is not None
        chosen = [column for column in resource.columns_by_name.values() if column.choices]
        if not chosen:
            continue
        names = {column.name: column.name for column in chosen}
        columns = table(slug, resource=resource.name, csv_field_options={"columns": names})
        for column in chosen:
            if unseen := {*column.choices} - columns[column.name] - {""}:
                missing[f"{resource.name}.{column.name}"] = unseen
    assert missing == INCOMPLETE


@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.stem)
def test_columns_of_documented_requests_are_not_empty(path: Path) -> None:
    body = json.loads(path.read_text())
    empty = {name for name, values in table("acme", **body).items() if values <= {"", "{}", "[]"}}
    assert empty == set()
