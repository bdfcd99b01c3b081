"""Many large exports of one organization do not hold up what another asks for."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import Organization
from exports import runner
from exports.models import Export, Lane, Status
from exports.stream import ExportStream
from resources.logistics.models import Contact
from tests.conftest import KeyClient
from tests.exports.conftest import wait_for, working

pytestmark = pytest.mark.django_db(transaction=True)

# Of each large export.
SECONDS = 0.5


@pytest.fixture
def large_worker(transactional_db: None) -> Iterator[None]:
    """The worker of one lane."""
    with working(Lane.LARGE.value):
        yield


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large exports take their time."""
    read = ExportStream._read

    def slowly(self: ExportStream, *args: Any) -> Iterator[Any]:
        if self._spec.selection.limit is None:
            time.sleep(SECONDS)
        yield from read(self, *args)

    monkeypatch.setattr(ExportStream, "_read", slowly)


def test_neither_small_nor_large_ones_wait_for_ten_of_another_organization(
    alice: KeyClient,
    charlie: KeyClient,
    globex: Organization,
    contacts: list[Contact],
    settings: Settings,
    slow: None,
    large_worker: None,
) -> None:
    settings.EXPORT_PARALLEL_ROWS = 2
    Contact.objects.bulk_create(Contact(organization=globex, name=f"{n}") for n in range(3))
    for _ in range(10):
        assert alice.post("/v1/exports", {"resource": "contact"}).status_code == 201
    started = time.monotonic()
    small = charlie.post("/v1/exports", {"resource": "contact", "options": {"limit": 1}}).json()
    large = charlie.post("/v1/exports", {"resource": "contact"}).json()

    def completed(export: dict[str, Any]) -> bool:
        return Export.objects.get(public_id=export["id"]).status == Status.COMPLETED

    # What the worker of the other lane does, which has nothing else to do.
    runner.run(small["number"])
    assert completed(small)
    assert time.monotonic() - started < 4 * SECONDS
    wait_for(lambda: completed(large))
    theirs = Export.objects.filter(organization__slug="acme", status=Status.COMPLETED)
    assert theirs.count() <= 3
    wait_for(lambda: theirs.count() == 10)
