"""Lists of exports: filters by the time of creation, and the indexes of every filter."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from exports.models import Export
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from tests.conftest import KeyClient
from tests.exports.conftest import key_of
from tests.factories import DeliveryFactory, EventFactory, SubscriptionFactory

pytestmark = pytest.mark.django_db
FIRST = datetime(2024, 12, 25, 23, 59, 59, 500_000, UTC)
# Around the end of a day in UTC: -1 s, 0, +1 s, +1 day.
TIMES = [FIRST - timedelta(seconds=1), FIRST, FIRST + timedelta(seconds=1), FIRST + timedelta(1)]


@pytest.fixture
def exports(acme: Organization) -> list[Export]:
    spec = parse_export({"resource": "contact"}).to_json()
    given: dict[str, Any] = {"resource": "contact", "format": "csv", "compression": "none"}
    given |= {"request": {}, "organization": acme, "spec": spec, "expires_at": timezone.now()}
    return Export.objects.bulk_create(
        Export(organization_number=number, created_at=time, **given)
        for number, time in enumerate(TIMES, 1)
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"created_at": "gte:2024-12-25"}, [0, 1, 2, 3]),
        ({"created_at": "gte:2024-12-26"}, [2, 3]),
        ({"created_at": "gt:2024-12-25"}, [2, 3]),
        ({"created_at": "2024-12-25"}, [0, 1]),
        ({"created_at": "not_equals:2024-12-25"}, [2, 3]),
        ({"created_at": "lt:2024-12-26"}, [0, 1]),
        ({"created_at": "lte:2024-12-25T23:59:58.500Z"}, [0]),
        ({"created_at": "bwi:2024-12-26,2024-12-26"}, [2, 3]),
        ({"created_at": "in:2024-12-25,2024-12-26"}, [0, 1, 2, 3]),
        ({"created_at": "is_null"}, []),
        ({"created_after": "2024-12-25"}, [2, 3]),
        ({"created_before": "2024-12-26"}, [0, 1]),
        ({"created_after": "2024-12-25", "created_before": "2024-12-26T12:00Z"}, [2]),
        ({"created_at": "gte:2024-12-26", "resource": "contact", "format": "csv"}, [2, 3]),
        ({"created_at": "gte:2024-12-26", "resource": "item"}, []),
    ],
)
def test_exports_are_filtered_by_the_time_of_creation(
    alice: KeyClient,
    charlie: KeyClient,
    exports: list[Export],
    query: dict[str, str],
    found: list[int],
) -> None:
    address = f"/v1/exports?{urlencode(query)}"
    results = alice.get(address).json()["results"]
    assert [each["number"] for each in results] == [n + 1 for n in reversed(found)]
    assert charlie.get(address).json()["results"] == []


def test_days_are_in_the_time_zone_of_the_organization(
    alice: KeyClient, acme: Organization, exports: list[Export]
) -> None:
    Organization.objects.filter(pk=acme.pk).update(timezone="America/New_York")
    page = alice.get("/v1/exports?created_at=2024-12-25&limit=2").json()
    assert [each["number"] for each in page["results"]] == [3, 2]
    rest = alice.get(page["next"]).json()
    assert [each["number"] for each in rest["results"]] == [1]


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ("created_at=yesterday", "created_at", "'yesterday' is not a valid value of created_at"),
        ("created_at=cont:2024", "created_at", "'cont:2024' is not a valid value of created_at"),
        ("created_at=bwi:2024-12-26,2024-12-25", "created_at", "the smaller value first"),
        ("created_after=gte:2024-12-25", "created_after", "is not a valid value of created_at"),
        ("creatd_at=2024-12-25", "creatd_at", "Did you mean 'created_at'?"),
        (
            "status=competed",
            "status",
            "is not a value of status. Did you mean 'completed'?",
        ),
    ],
)
def test_an_invalid_filter_is_reported(
    alice: KeyClient, query: str, field: str, message: str
) -> None:
    for path in ("/v1/exports", "/v1/events") if "status" not in query else ("/v1/exports",):
        response = alice.get(f"{path}?{query}")
        assert response.status_code == 400
        [problem] = response.json()["details"]["problems"]
        assert (problem["error"], problem["field"]) == ("invalid_filter", field)
        assert message in problem["message"]
        assert problem["accepted"]


def test_events_and_deliveries_are_filtered_by_the_time_of_creation(
    alice: KeyClient, acme: Organization
) -> None:
    subscription = SubscriptionFactory.create(organization=acme)
    for time in TIMES:
        event = EventFactory.create(organization=acme, created_at=time)
        DeliveryFactory.create(subscription=subscription, event=event, created_at=time)
    for path in ("/v1/events", f"/v1/webhooks/{subscription.public_id}/deliveries"):
        for query, found in (
            ("created_at=2024-12-25", 2),
            ("created_at=gte:2024-12-27", 0),
            ("created_after=2024-12-25", 2),
            ("created_at=gte:2024-12-26&type=export.created,export.failed", 2),
        ):
            assert len(alice.get(f"{path}?{query}").json()["results"]) == found, (path, query)


_FILL = """
INSERT INTO exports_export (public_id, organization_id, resource, format, compression, request,
    spec, status, lane, created_at, expires_at, processed_count, claims, completed_at,
    records_count)
SELECT 'exp_' || %(organization)s || n, %(organization)s,
    CASE WHEN n <= 5 THEN 'asset' ELSE 'contact' END, 'csv',
    'none', CASE WHEN n <= 5 THEN '{"type": "order_list"}' ELSE '{}' END::json, '{}',
    CASE WHEN n <= 5 THEN 'failed' ELSE 'completed' END, 'large',
    now() - (30001 - n) * interval '1 min', now() + interval '1 day', 0, '{}', now(), 1
FROM generate_series(1, 30000) n"""


@pytest.fixture
def many(acme: Organization, globex: Organization) -> None:
    """Thirty thousand exports of two organizations each.

    The oldest five of each are of assets, failed, and have an export type.
    """
    with connection.cursor() as cursor:
        for organization in (acme, globex):
            cursor.execute(_FILL, {"organization": organization.pk})
        cursor.execute("ANALYZE exports_export")


# The query of a list, the index that serves it, and the number of rows that its statement returns.
INDEXES = [
    ("", "export_by_creation", 26),
    ("resource=contact", "export_(by_resource|by_creation|admin_created)", 26),
    ("resource=asset", "export_by_resource", 5),
    ("resource=item", "export_(by|admin)_resource", 0),
    ("status=failed", "export_(by_state|failed)", 5),
    ("status=completed", "export_by_(state|creation)", 26),
    ("status=canceled", "export_(by_state|admin_status)", 0),
    ("type=order_list", "export_by_type", 5),
    ("type=dispute_list", "export_by_type", 0),
    ("created_at=lt:2000-01-01", "export_by_creation", 0),
    ("created_at=gte:2000-01-01", "export_by_creation", 26),
    (
        "resource=item&created_at=gte:2000-01-01",
        "export_(by_resource|by_creation|admin_resource)",
        0,
    ),
]


# One test, because the rows take seconds to write.
@pytest.mark.usefixtures("many")
@pytest.mark.slow
def test_every_filter_of_the_list_uses_an_index(alice: KeyClient) -> None:
    for query, index, rows in INDEXES:
        with CaptureQueriesContext(connection) as queries:
            page = alice.get(f"/v1/exports?{query}").json()
        assert len(page["results"]) == min(rows, 25), query
        # Another statement reads the files.
        [statement] = [each["sql"] for each in queries if 'FROM "exports_export"' in each["sql"]]
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {statement}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
        used = rf"(Index Scan using|Bitmap Index Scan on) {index}\b"
        assert re.search(used, plan), (query, plan)
        removed = map(int, re.findall(r"Rows Removed by Filter: (\d+)", plan))
        assert sum(removed) <= 100, (query, plan)


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("staff"))
    return client


@pytest.mark.usefixtures("static_files")
@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({}, (None, None)),
        ({"date_from": "2024-12-01"}, ("2024-12-01", None)),
        ({"date_to": "2024-12-25T23:59:59Z"}, (None, "2024-12-25T23:59:59Z")),
        ({"date_from": 1732993200, "date_to": "2024-12-25"}, ("1732993200", "2024-12-25")),
    ],
)
@pytest.mark.slow
def test_an_export_shows_the_date_range_of_its_request(
    alice: KeyClient, staff: Client, given: dict[str, Any], shown: tuple[str | None, str | None]
) -> None:
    created = alice.post("/v1/exports", {"resource": "contact", **given}).json()
    for export in (created, alice.get(created["url"]).json()):
        assert (export["date_from"], export["date_to"]) == shown
    page = staff.get(reverse("admin:exports_export_change", args=[key_of(created)]))
    ends = filter(None, [shown[0] and f"from {shown[0]}", shown[1] and f"until {shown[1]}"])
    content = page.content.decode()
    assert " ".join(ends) in content
    assert ("Date range" in content) == any(shown)
