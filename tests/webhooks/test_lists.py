"""Lists of deliveries read few rows at any number of deliveries."""

import re

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from longshore.accounts.models import Organization
from tests.conftest import KeyClient
from tests.factories import DeliveryFactory, SubscriptionFactory
from webhooks.admin import health
from webhooks.events import EventType
from webhooks.models import SUCCESS, Delivery, DeliveryStatus, Event, Subscription

pytestmark = pytest.mark.django_db

_FILL = """
WITH happened AS (
    INSERT INTO webhooks_event
        (public_id, organization_id, type, resource, export_type, data, created_at)
    SELECT 'evt_' || %(subscription)s || %(status)s || n, %(organization)s, 'export.created',
        '', '', '{}', now() - n * interval '1 s'
    FROM generate_series(1, %(count)s) n
    RETURNING number, created_at
)
INSERT INTO webhooks_delivery
    (public_id, subscription_id, event_id, status, attempts_count, claim, created_at)
SELECT 'dlv_' || number, %(subscription)s, number, %(status)s, 1, '', created_at FROM happened
"""


def fill(subscription: Subscription, count: int, status: DeliveryStatus) -> None:
    values: dict[str, int | str] = {
        "subscription": subscription.pk,
        "organization": subscription.organization_id,
        "count": count,
        "status": status.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FILL, values)


def plan(statement: str, *, sorts: bool = True) -> str:
    """Return the plan of a statement. sorts: whether it may sort rows."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL enable_sort = {'on' if sorts else 'off'}")
        cursor.execute(f"EXPLAIN (COSTS OFF) {statement}")
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.fixture
def two(acme: Organization) -> tuple[Subscription, Subscription]:
    """A subscription with many deliveries, few of them failed; and one with failed ones only."""
    busy, failing = SubscriptionFactory.create_batch(2, organization=acme)
    fill(failing, 5_000, DeliveryStatus.FAILED)
    fill(busy, 40, DeliveryStatus.FAILED)
    fill(busy, 15_000, DeliveryStatus.DELIVERED)
    return busy, failing


@pytest.mark.parametrize("analyzed", [False, True])
@pytest.mark.parametrize("query", ["", "status=failed", "status=delivered"])
@pytest.mark.slow
def test_the_list_of_deliveries_reads_an_index_in_its_order(
    alice: KeyClient,
    two: tuple[Subscription, Subscription],
    query: str,
    analyzed: bool,
) -> None:
    if analyzed:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE webhooks_delivery, webhooks_event, webhooks_subscription")
    for subscription in two:
        address = f"/v1/webhooks/{subscription.public_id}/deliveries?limit=10&{query}"
        with CaptureQueriesContext(connection) as queries:
            assert alice.get(address).status_code == 200
        [page] = [each["sql"] for each in queries if 'FROM "webhooks_delivery"' in each["sql"]]
        # Statistics of deleted rows of other tests may make a sort seem cheaper.
        found = plan(page, sorts=analyzed)
        # If most deliveries have the status, as far as statistics tell, the other index is as good.
        is_rare = analyzed and "failed" in query
        index = "delivery_by_status" if is_rare else "delivery_(of_subscription|by_status)"
        assert re.search(f"Index Scan using {index} on webhooks_delivery", found)
        assert "Sort" not in found
        # The list does not show the data of events, which may be large.
        assert '"webhooks_event"."data"' not in page


@pytest.mark.slow
def test_the_admin_page_of_a_subscription_reads_an_index_in_its_order(
    two: tuple[Subscription, Subscription],
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE webhooks_delivery")
    for subscription in two:
        found = plan(str(health.newest(subscription.pk)[:30].query))
        assert "Index Scan using delivery_of_subscription" in found
        assert "Sort" not in found


@pytest.mark.usefixtures("two", "static_files")
@pytest.mark.slow
def test_each_filter_of_the_admin_reads_few_rows(admin_client: Client) -> None:
    """Few of the deliveries, and the oldest of them, have the value of the filter."""
    oldest = Delivery.objects.filter(status=DeliveryStatus.DELIVERED).order_by("number")[:60]
    found = [each.pk for each in oldest]
    events = [each.event_id for each in oldest]
    Delivery.objects.exclude(pk__in=found).update(
        status=DeliveryStatus.DELIVERED, response_class=SUCCESS
    )
    Delivery.objects.filter(pk__in=found).update(status=DeliveryStatus.FAILED, response_class=3)
    Event.objects.filter(pk__in=events).update(
        type=EventType.EXPORT_CANCELED, created_at="2020-01-01T00:00Z"
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE webhooks_delivery, webhooks_event, webhooks_subscription")
    for query, index in (
        ("status__exact=failed", "delivery_(failed|by_status)"),
        ("response=3", "delivery_by_response"),
        ("type=export.canceled", "event_of_type"),
        ("event__created_at_to_0=2020-01-02", "event_by_age"),
    ):
        with CaptureQueriesContext(connection) as queries:
            response = admin_client.get(f"/admin/webhooks/delivery/?{query}")
        shown = {each.pk for each in response.context["cl"].result_list}
        assert (len(shown), shown - {*found}) == (50, set())
        keys = 'SELECT "webhooks_delivery"."number" AS "pk" FROM'
        [page] = [each["sql"] for each in queries if each["sql"].startswith(keys)]
        used = plan(page)
        assert re.search(rf"Index (Scan|Only Scan|Scan Backward) (using|on) {index}\b", used), (
            query,
            used,
        )


def test_deliveries_can_be_paged_to_the_end_and_back(
    alice: KeyClient, acme: Organization, globex: Organization
) -> None:
    subscription, another = SubscriptionFactory.create_batch(2, organization=acme)
    made = [DeliveryFactory.create(subscription=subscription) for _ in range(5)]
    DeliveryFactory.create(subscription=another)
    newest_first = [each.public_id for each in reversed(made)]
    url = f"/v1/webhooks/{subscription.public_id}/deliveries?limit=2"
    found, last = [], ""
    while url:
        page = alice.get(url).json()
        found += [each["id"] for each in page["results"]]
        assert {each["webhook"] for each in page["results"]} == {subscription.public_id}
        last, url = page["previous"], page["next"]
    assert found == newest_first
    assert [each["id"] for each in alice.get(last).json()["results"]] == newest_first[2:4]
