"""Purges delete old rows and their dependents in bounded batches, without loading objects."""

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.signals import post_init
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export, ExportEvent, ExportFile, Status
from exports.request.parser import parse_export
from longshore.accounts.models import ApiKey, Organization
from longshore.api import idempotency
from longshore.api.models import IdempotencyKey
from longshore.database import chunks
from longshore.jobs import maintenance
from tests.records import copies
from webhooks import maintenance as webhooks_maintenance
from webhooks.models import (
    Attempt,
    Delivery,
    DeliveryStatus,
    Event,
    Subscription,
)

pytestmark = pytest.mark.django_db
ROWS = 20_000
MAX_BYTES = 2_000_000
LONG_AGO = timezone.now() - timedelta(days=90)


@pytest.fixture
def old_exports(acme: Organization) -> list[QuerySet[Any]]:
    """Create failed exports, each with an event and a file."""
    spec = parse_export({"resource": "contact"}).to_json()
    export = Export.objects.create(
        organization=acme,
        resource="contact",
        request={"padding": "x" * 1000},
        spec=spec,
        status=Status.FAILED,
        completed_at=LONG_AGO,
        expires_at=LONG_AGO,
    )
    event = ExportEvent.objects.create(export=export, status=Status.FAILED, attempt=1)
    file = ExportFile.objects.create(
        export=export, name="f", storage_key="k", content_type="t", rows=1, bytes=1, sha256=""
    )
    number = f"{export.pk} + n"
    copies(export, ROWS - 1, number=number, public_id="public_id || n")
    copies(event, ROWS - 1, id="id + n", export_id=number)
    copies(file, ROWS - 1, id="id + n", export_id=number, storage_key="storage_key || n")
    return [Export.objects.all(), ExportEvent.objects.all(), ExportFile.objects.all()]


@pytest.fixture
def old_events(acme: Organization) -> list[QuerySet[Any]]:
    """Create events, each delivered to a deleted subscription in one attempt."""
    subscription = Subscription.objects.create(
        organization=acme, target="https://x.example/", events=["*"], deleted_at=LONG_AGO
    )
    event = Event.objects.create(
        organization=acme, type="webhook.test", data={"x": "y" * 1000}, created_at=LONG_AGO
    )
    delivery = Delivery.objects.create(
        subscription=subscription,
        event=event,
        status=DeliveryStatus.DELIVERED,
        completed_at=LONG_AGO,
    )
    attempt = Attempt.objects.create(delivery=delivery, started_at=LONG_AGO, milliseconds=1)
    number = f"{event.pk} + n"
    copies(event, ROWS - 1, number=number, public_id="public_id || n")
    copies(
        delivery,
        ROWS - 1,
        number=f"{delivery.pk} + n",
        public_id="public_id || n",
        event_id=number,
    )
    copies(attempt, ROWS - 1, id="id + n", delivery_id=f"{delivery.pk} + n")
    models: list[type[Model]] = [Event, Delivery, Attempt, Subscription]
    return [model._default_manager.all() for model in models]


@pytest.fixture
def old_keys(acme: Organization) -> list[QuerySet[Any]]:
    key = IdempotencyKey.objects.create(
        organization=acme, operation="POST /v1/exports", key="k", created_at=LONG_AGO
    )
    copies(key, ROWS - 1, id="id + n", key="key || n")
    return [IdempotencyKey.objects.all()]


@contextmanager
def no_objects() -> Iterator[None]:
    """Fail if the block instantiates a model or needs much memory."""
    made: list[Any] = []

    def note(sender: Any, **_: Any) -> None:
        made.append(sender)

    post_init.connect(note)
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        post_init.disconnect(note)
    assert made == []
    assert peak < MAX_BYTES


@pytest.mark.parametrize(
    ("fixture", "purge"),
    [
        ("old_exports", partial(maintenance.purge, export_lifecycle)),
        ("old_events", webhooks_maintenance.purge),
        ("old_keys", idempotency.purge),
    ],
)
@pytest.mark.slow
def test_a_purge_of_many_rows_loads_no_objects(
    request: pytest.FixtureRequest, fixture: str, purge: Callable[[], None]
) -> None:
    rows: list[QuerySet[Any]] = request.getfixturevalue(fixture)
    assert rows[0].count() == ROWS
    with no_objects():
        purge()
    assert [each.count() for each in rows] == [0] * len(rows)


@pytest.mark.parametrize("number", [1000, 3000])
@pytest.mark.slow
def test_a_purge_runs_a_fixed_number_of_statements_per_batch(
    old_exports: list[QuerySet[Any]], number: int
) -> None:
    some = Export.objects.filter(pk__lt=Export.objects.order_by("pk")[number].pk)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert chunks.delete(some) == number
    # Savepoint, release, keys, and a DELETE for each of four tables; the last batch has no keys.
    assert len(queries) == 7 * (number // chunks.ROWS) + 3
    assert [each.count() for each in old_exports] == [ROWS - number] * 3


def test_a_purge_empties_references_with_set_null(acme: Organization) -> None:
    """Exports refer to API keys with SET_NULL."""
    api_key, _ = ApiKey.objects.create_key(organization=acme, name="old")
    assert isinstance(api_key, ApiKey)
    request = {"resource": "contact"}
    export = Export.objects.create(
        organization=acme,
        api_key=api_key,
        resource="contact",
        format="csv",
        compression="none",
        request=request,
        spec=parse_export(request).to_json(),
        expires_at=timezone.now(),
    )
    assert chunks.delete(ApiKey.objects.all()) == 1
    export.refresh_from_db()
    assert export.api_key is None


@pytest.mark.slow
def test_a_purge_stops_in_time_and_the_next_one_continues(
    old_exports: list[QuerySet[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert chunks.delete(Export.objects.all(), seconds=0) == 0
    with monkeypatch.context() as patch:
        # The clock advances one second per reading: at the start and before each batch.
        patch.setattr(chunks, "time", SimpleNamespace(monotonic=count().__next__))
        first = chunks.delete(Export.objects.all(), seconds=3)
    assert first == 2 * chunks.ROWS
    assert chunks.delete(Export.objects.all()) == ROWS - first


@pytest.mark.slow
def test_rows_are_read_in_batches_without_a_database_cursor(
    old_exports: list[QuerySet[Any]],
) -> None:
    with CaptureQueriesContext(connection) as queries:
        read = [export.pk for export in chunks.read(Export.objects.only("status"))]
    assert read == list(Export.objects.order_by("pk").values_list("pk", flat=True))
    assert len(queries) == ROWS // chunks.ROWS + 1
    assert not any("CURSOR" in query["sql"] for query in queries)
    assert list(chunks.read(Export.objects.all(), seconds=-1)) == []
