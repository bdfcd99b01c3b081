"""Limit of concurrent expensive requests per organization, with and without Valkey."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import redis
from pytest_django import Settings

from exports.models import Export
from longshore.accounts.models import Organization
from longshore.api.concurrency import admitted
from longshore.api.errors import ApiError, ErrorCode
from tests.conftest import KeyClient
from tests.factories import ContactFactory

pytestmark = pytest.mark.django_db
CONTACTS = {"resource": "contact"}


@pytest.fixture
def two(settings: Settings) -> None:
    settings.API_MAX_EXPENSIVE_REQUESTS = 2


@pytest.fixture
def busy(two: None, acme: Organization) -> Iterator[ExitStack]:
    """All slots of acme are taken."""
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(admitted(acme.pk))
        yield stack


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize(
    ("method", "path", "maximum"),
    [
        ("post", "/v1/exports", 1),
        ("post", "/v1/exports/preview", 1),
        ("get", "/v1/contacts", 2),
        ("get", "/v1/contacts/x", 2),
    ],
)
def test_an_expensive_request_over_the_limit_is_rejected_before_its_body_is_parsed(
    alice: KeyClient, charlie: KeyClient, method: str, path: str, maximum: int
) -> None:
    ContactFactory.create(organization=charlie.api_key.organization)
    ask = getattr(alice, method)
    response = ask(path, {"resource": ["nothing that", "could be parsed"]})
    assert response.status_code == 429
    assert response["Retry-After"] == "1"
    assert response.json() == {
        "error": "too_many_requests",
        "message": (
            f"The organization has reached the limit of {maximum} concurrent previews, creations, "
            "list pages and retrieved records. Try again in 1 s."
        ),
        "details": {"maximum": maximum, "retry_after": 1},
    }
    assert not Export.objects.exists()
    # Other organizations have their own slots, and cheap requests need none.
    assert getattr(charlie, method)(path, CONTACTS if method == "post" else {}).status_code != 429
    assert alice.get("/v1/exports").status_code == 200
    assert alice.get("/v1/exports/types").status_code == 200


@pytest.mark.usefixtures("two")
def test_previews_and_creations_leave_a_slot_for_list_pages(
    alice: KeyClient, acme: Organization
) -> None:
    with admitted(acme.pk):
        assert alice.post("/v1/exports/preview", CONTACTS).status_code == 429
        assert alice.get("/v1/contacts").status_code == 200


def test_a_slot_is_released_after_every_response(alice: KeyClient, busy: ExitStack) -> None:
    busy.close()
    for body in (CONTACTS, {"resource": "nothing"}, {}):
        for _ in range(3):
            assert alice.post("/v1/exports/preview", body).status_code in (200, 400)


@pytest.mark.usefixtures("two")
def test_a_request_without_the_scope_takes_no_slot(
    acme: Organization, read_only: KeyClient
) -> None:
    for _ in range(3):
        assert read_only.post("/v1/exports", CONTACTS).status_code == 403
    with (
        admitted(acme.pk),
        admitted(acme.pk),
        pytest.raises(ApiError) as refused,
        admitted(acme.pk),
    ):
        pass
    assert refused.value.code is ErrorCode.TOO_MANY_REQUESTS


@pytest.mark.usefixtures("two")
@pytest.mark.slow
def test_slots_of_a_dead_process_expire(
    acme: Organization, settings: Settings, valkey: redis.Redis
) -> None:
    settings.WEB_STATEMENT_TIMEOUT_SECONDS = 1
    dead = [admitted(acme.pk) for _ in range(2)]
    for slot in dead:
        slot.__enter__()
    with pytest.raises(ApiError), admitted(acme.pk):
        pass
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with admitted(acme.pk):
                break
        except ApiError:
            time.sleep(0.1)
    else:
        pytest.fail("The slots did not expire.")
    assert valkey.ttl(f"longshore:1:expensive:{acme.pk}") <= 4


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize(("timeout", "minimum"), [(30, 100), (120, 400), (0, 3500)])
def test_a_lease_is_longer_than_several_statement_timeouts(
    acme: Organization, settings: Settings, valkey: redis.Redis, timeout: int, minimum: int
) -> None:
    settings.WEB_STATEMENT_TIMEOUT_SECONDS = timeout
    with admitted(acme.pk):
        entries: Any = valkey.zrange(f"longshore:1:expensive:{acme.pk}", 0, -1, withscores=True)
        now: Any = valkey.time()
    [(_, end)] = entries
    assert end - now[0] > minimum


def test_every_request_is_admitted_without_a_limit(acme: Organization, settings: Settings) -> None:
    settings.API_MAX_EXPENSIVE_REQUESTS = 0
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(admitted(acme.pk))


@pytest.mark.usefixtures("two")
def test_every_request_is_admitted_without_valkey(
    alice: KeyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise redis.ConnectionError("refused")

    monkeypatch.setattr(redis.Redis, "execute_command", refuse)
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(admitted(alice.api_key.organization_id))
        assert alice.get("/v1/contacts").status_code == 200
