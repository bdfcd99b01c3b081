"""Logistics demo data: number of records, arguments, progress, and texts that need escaping."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db.models import Count, F

from longshore.accounts.models import Organization
from longshore.domains.logistics.models import (
    Contact,
    Group,
    Location,
    Shipment,
    ShippingLabelInference,
    Tracker,
)
from longshore.domains.logistics.models.base import Record
from tests.terminals import terminal

pytestmark = pytest.mark.django_db

ROWS = 2000
MODELS = list(apps.get_app_config("longshore_logistics").get_models())
RECORDS = [model for model in MODELS if issubclass(model, Record)]
DECEMBER = tuple(datetime.fromtimestamp(second, UTC) for second in (1732993200, 1734548400))
MOVING = {
    "provider__in": ["fedex", "ups", "usps"],
    "status__in": ["pickup_available", "delivered", "completed"],
    "created_at__range": DECEMBER,
}


SCRIPTS = {
    "Latin": "À-ž",
    "Greek": "\u0370-\u03ff",
    "Cyrillic": "\u0400-\u04ff",
    "Hebrew": "\u0590-\u05ff",
    "Arabic": "\u0600-\u06ff",
    "Devanagari": "\u0900-\u097f",
    "Thai": "\u0e00-\u0e7f",
    "kana": "\u3040-\u30ff",
    "Han": "\u4e00-\u9fff",
    "Hangul": "\uac00-\ud7af",
}


def load(organization: str = "acme", rows: int = ROWS) -> None:
    call_command("demo_data", organization=organization, rows=rows, verbosity=0)


def texts() -> Iterator[str]:
    """Yield all texts of contacts, groups, locations and shipments."""
    for model in (Contact, Group, Location, Shipment):
        names = [f.name for f in model._meta.fields if f.get_internal_type() == "TextField"]
        for row in model._default_manager.values_list(*names):
            yield from filter(None, row)


@pytest.mark.parametrize("rows", [100, 777, ROWS])
@pytest.mark.slow
def test_number_of_records_equals_the_requested_rows(rows: int) -> None:
    load(rows=rows)
    counts = [model._default_manager.count() for model in RECORDS]
    assert len(counts) == 10
    assert sum(counts) == rows
    assert min(counts) >= 3


@pytest.mark.slow
def test_organizations_have_separate_records() -> None:
    load("acme")
    load("globex", 500)
    assert Shipment.objects.filter(organization__slug="globex").count() < 500
    for model in RECORDS:
        assert set(model._default_manager.values_list("organization__slug", flat=True)) == {
            "acme",
            "globex",
        }


def test_missing_organization_is_created_with_a_name() -> None:
    load("north-sea_freight", 100)
    assert Organization.objects.get(slug="north-sea_freight").name == "North Sea Freight"


@pytest.mark.slow
def test_existing_organization_is_used(acme: Organization) -> None:
    load(rows=100)
    assert Contact.objects.filter(organization=acme).count() == 15
    assert Organization.objects.count() == 1


@pytest.mark.parametrize(
    ("organization", "rows", "reason"),
    [
        ("acme", 99, "--rows must be 0 or at least 100"),
        ("acme", -1, "--rows must be 0 or at least 100"),
        ("two words", 100, "two words.*valid"),
        ("x" * 51, 100, "at most 50"),
        ("", 100, "blank"),
    ],
)
def test_invalid_arguments_are_rejected(organization: str, rows: int, reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        load(organization, rows)
    assert not Organization.objects.exists()


def test_progress_bar_on_a_terminal() -> None:
    with terminal(columns=120) as shown:
        call_command("demo_data", organization="acme", rows=300)
    assert re.search(r"acme .*100%.* 300 of 300 rows", shown.text)


@pytest.mark.slow
def test_no_progress_bar_without_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    call_command("demo_data", organization="acme", rows=300, orders=20)
    assert capfd.readouterr().err == ""


@pytest.mark.slow
def test_trackers_match_their_shipments() -> None:
    load()
    tracked = Shipment.objects.filter(tracker__isnull=False)
    assert tracked.exists()
    assert not tracked.exclude(tracking_number=F("tracker__tracking_number")).exists()
    assert not tracked.exclude(provider=F("tracker__provider")).exists()
    assert not Tracker.objects.exclude(current_shipment__tracker=F("pk")).exists()
    read = ShippingLabelInference.objects.filter(tracker__isnull=False)
    assert not read.exclude(tracking_number=F("tracker__tracking_number")).exists()


@pytest.mark.slow
def test_texts_contain_characters_that_need_escaping() -> None:
    load()
    found = set(texts())
    awkward = ['"', "'", ",", ";", "\n", "\r\n", "\t", "\\", "\\N", "🚚", "👩\u200d👩", "<b>", "{"]
    assert [piece for piece in awkward if not any(piece in text for text in found)] == []
    formulas = ["=", "+", "-", "@", " "]
    assert [sign for sign in formulas if not any(text.startswith(sign) for text in found)] == []


@pytest.mark.slow
def test_names_use_many_scripts() -> None:
    load()
    for script, letters in SCRIPTS.items():
        assert Contact.objects.filter(name__regex=f"[{letters}]").exists(), script


@pytest.mark.slow
def test_null_and_empty_texts_occur() -> None:
    load()
    for name in ("nickname", "email", "notes", "external_id"):
        assert Contact.objects.filter(**{name: None}).exists(), name
        assert Contact.objects.filter(**{name: ""}).exists(), name


@pytest.mark.slow
def test_nested_and_empty_metadata_occur() -> None:
    load()
    assert Contact.objects.filter(metadata={}).exists()
    assert Contact.objects.filter(metadata__place__building__desks__contains=[None]).exists()


@pytest.mark.slow
def test_contacts_have_zero_to_three_groups() -> None:
    load()
    counts = Contact.objects.annotate(number=Count("groups")).values_list("number", flat=True)
    assert set(counts) == {0, 1, 2, 3}
    assert Group.objects.filter(children__isnull=False, parent__isnull=False).exists()


@pytest.mark.slow
def test_records_exist_on_days_of_clock_changes() -> None:
    load()
    for day in ("2024-03-10", "2024-11-03", "2024-03-31", "2024-10-27"):
        assert Shipment.objects.filter(created_at__date=day).count() >= 10, day


@pytest.mark.slow
def test_ids_sort_by_creation_time() -> None:
    load()
    ordered = Shipment.objects.order_by("created_at")
    assert list(ordered.values_list("pk", flat=True)) == sorted(
        ordered.values_list("pk", flat=True)
    )


@pytest.mark.slow
def test_documented_requests_select_records() -> None:
    load()
    inferences = ShippingLabelInference.objects.filter(
        provider_name="usps", metadata__service="inbound", created_at__range=DECEMBER
    )
    selected = [
        Shipment.objects.filter(created_at__gte=datetime(2024, 1, 1, tzinfo=UTC)),
        Contact.objects.filter(groups="grp_19asti9p9u8sBaiJVPxFUF"),
        Group.objects.filter(resource="contact"),
        inferences,
        Shipment.objects.filter(**MOVING),
        Tracker.objects.filter(**MOVING),
        Location.objects.all(),
    ]
    assert all(rows.filter(organization__slug="acme").count() > 1 for rows in selected)
