"""Idempotency-Key: a repeated request has no further effect and gets the first response."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from celery import current_app
from celery.schedules import crontab
from django.db import connection, connections, transaction
from django.db.models.functions import Now
from django.http import HttpResponse
from pytest_django import Settings

from longshore.accounts.models import Organization, Scope
from longshore.api.errors import shortened
from longshore.api.models import IdempotencyKey
from longshore.api.tasks import purge_idempotency_keys
from tests.conftest import KeyClient

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.accounts.urls")]

BODY = {"name": "Łódź", "tags": ["a", "b"]}
DAY = timedelta(hours=24)


def ask(client: KeyClient, key: str, body: Any = BODY, address: str = "/v1/create") -> HttpResponse:
    return client.post(
        address, body, content_type="application/json", headers={"Idempotency-Key": key}
    )


def content_of(response: HttpResponse) -> tuple[int, bytes, str, str]:
    status, content = response.status_code, response.content
    return status, content, response["Location"], response["Content-Type"]


def replayed(response: HttpResponse) -> bool:
    return response.get("Idempotent-Replayed") == "true"


def created() -> int:
    return Organization.objects.filter(name=BODY["name"]).count()


def age(by: timedelta) -> None:
    IdempotencyKey.objects.update(created_at=Now() - by)


def test_a_repeated_request_gets_the_first_response(alice: KeyClient) -> None:
    first, again, once_more = (ask(alice, "k") for _ in range(3))
    organization = Organization.objects.get(name=BODY["name"])
    body = f'{{"id":"{organization.pk}","name":"Łódź"}}'.encode()
    assert content_of(first) == (201, body, f"/v1/created/{organization.pk}", "application/json")
    assert content_of(first) == content_of(again) == content_of(once_more)
    assert "Idempotent-Replayed" not in first
    assert replayed(again)
    assert replayed(once_more)


def test_every_success_is_replayed(alice: KeyClient) -> None:
    first, again = (ask(alice, "k", BODY | {"status": 200}) for _ in range(2))
    assert content_of(first) == content_of(again)
    assert (again.status_code, replayed(again)) == (200, True)


def test_every_request_without_a_key_creates(alice: KeyClient) -> None:
    assert [alice.post("/v1/create", BODY).status_code for _ in range(2)] == [201, 201]
    assert created() == 2
    assert not IdempotencyKey.objects.exists()


def test_white_space_and_escapes_do_not_make_another_body(alice: KeyClient) -> None:
    first = ask(alice, "k", '{"name":"Łódź","n":[1,2]}')
    again = ask(alice, "k", '{ "name": "\\u0141\\u00f3d\\u017a",\n  "n": [1, 2] }')
    assert replayed(again)
    assert content_of(first) == content_of(again)


@pytest.mark.slow
@pytest.mark.parametrize(
    "other",
    [
        BODY | {"name": "Lodz"},
        BODY | {"tags": ["b", "a"]},
        BODY | {"more": None},
        dict(reversed(BODY.items())),
    ],
    ids=["value", "order of a list", "more", "order of the keys"],
)
def test_another_body_with_the_same_key_is_rejected(
    alice: KeyClient, other: dict[str, Any]
) -> None:
    first = ask(alice, "k")
    response = ask(alice, "k", other)
    assert response.status_code == 409
    assert json.loads(response.content) == {
        "error": "idempotency_key_reused",
        "message": "This Idempotency-Key was used with another body in the last 24 hours. "
        "Send a new key with a new request, or the first body with this key.",
        "details": {"Idempotency-Key": "k"},
    }
    assert Organization.objects.exclude(slug="acme").count() == 1
    assert content_of(ask(alice, "k")) == content_of(first)


def test_every_address_has_its_own_keys(alice: KeyClient) -> None:
    first, other = ask(alice, "k"), ask(alice, "k", BODY, "/v1/create-another")
    assert not replayed(other)
    assert content_of(first) != content_of(other)
    assert created() == 2


def test_every_long_address_has_its_own_keys(alice: KeyClient) -> None:
    first, other = (f"/v1/create-{'x' * 300}{end}" for end in "ab")
    ids = [ask(alice, "k", address=address).content for address in (first, other, first + "/")]
    assert ids[0] == ids[2] != ids[1]


def test_another_api_key_of_the_organization_gets_the_stored_response(
    alice: KeyClient, bob: KeyClient
) -> None:
    first, again = ask(alice, "k"), ask(bob, "k")
    assert replayed(again)
    assert content_of(first) == content_of(again)


def test_another_organization_with_the_same_key_gets_its_own_response(
    alice: KeyClient, charlie: KeyClient
) -> None:
    hers, his = ask(alice, "k"), ask(charlie, "k", BODY | {"name": "Globex"})
    assert (his.status_code, replayed(his)) == (201, False)
    assert Organization.objects.filter(name="Globex").count() == 1
    assert content_of(ask(alice, "k")) == content_of(hers)
    assert content_of(ask(charlie, "k", BODY | {"name": "Globex"})) == content_of(his)


def test_an_api_key_without_the_scope_gets_no_stored_response(
    alice: KeyClient, read_only: KeyClient
) -> None:
    ask(alice, "k")
    assert ask(read_only, "k").status_code == 403


@pytest.mark.slow
@pytest.mark.parametrize("key", ["", "a" * 256, "clé", "a\tb", "a\x7f", "a\n"])
def test_a_malformed_key_is_rejected(alice: KeyClient, key: str) -> None:
    response = ask(alice, key)
    assert response.status_code == 400
    message = "The header Idempotency-Key must be 1 to 255 printable ASCII characters."
    assert json.loads(response.content) == {
        "error": "invalid_request",
        "message": message,
        "details": {
            "Idempotency-Key": shortened(key),
            "problems": [
                {
                    "error": "invalid_request",
                    "field": "Idempotency-Key",
                    "value": shortened(key),
                    "message": message,
                    "accepted": "1 to 255 printable ASCII characters",
                }
            ],
        },
    }
    assert not created()


@pytest.mark.slow
@pytest.mark.parametrize("key", ["a" * 255, "0", '"e2a1-4b~ {x}"'])
def test_a_valid_key_is_accepted(alice: KeyClient, key: str) -> None:
    assert [replayed(ask(alice, key)) for _ in range(2)] == [False, True]
    assert created() == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("failing", "status"),
    [
        ({"raise": "invalid"}, 400),
        ({"raise": "gone"}, 410),
        ({"raise": "unforeseen"}, 500),
        ({"status": 422}, 422),
        ({"status": 503}, 503),
    ],
)
def test_a_failed_request_is_rolled_back_and_its_key_stays_free(
    alice: KeyClient, failing: dict[str, Any], status: int
) -> None:
    alice.raise_request_exception = False
    responses = [ask(alice, "k", BODY | failing) for _ in range(2)]
    assert [response.status_code for response in responses] == [status, status]
    assert not any(map(replayed, responses))
    assert not created()
    assert not IdempotencyKey.objects.exists()
    assert [ask(alice, "k").status_code for _ in range(2)] == [201, 201]
    assert created() == 1


def test_a_request_that_is_not_json_leaves_the_key_free(alice: KeyClient) -> None:
    assert ask(alice, "k", "{oops").status_code == 400
    assert ask(alice, "k").status_code == 201


def test_a_response_is_replayed_within_a_day(alice: KeyClient) -> None:
    first = ask(alice, "k")
    age(DAY - timedelta(minutes=1))
    assert content_of(ask(alice, "k")) == content_of(first)


def test_a_key_is_free_after_a_day(alice: KeyClient) -> None:
    first = ask(alice, "k")
    age(DAY)
    other = BODY | {"tags": []}
    second = ask(alice, "k", other)
    assert (second.status_code, replayed(second)) == (201, False)
    assert content_of(second) != content_of(first)
    assert content_of(ask(alice, "k", other)) == content_of(second)
    assert IdempotencyKey.objects.count() == 1


def test_the_database_reveals_nothing_about_bodies(alice: KeyClient) -> None:
    for key in ("k", "another"):
        ask(alice, key)
    first, second = IdempotencyKey.objects.all()
    for name in ("fingerprint", "body"):
        assert "Łódź" not in getattr(first, name)
        # Nor can a guessed body be confirmed: equal values are stored as different ones.
        assert getattr(first, name) != getattr(second, name)
    assert "Łódź" not in str(IdempotencyKey.objects.values())


def test_a_stored_response_is_readable_with_a_fallback_secret_key(
    alice: KeyClient, settings: Settings
) -> None:
    first = ask(alice, "k")
    before, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    # An unreadable response must not cause a second creation.
    refused = ask(alice, "k")
    assert refused.status_code == 409
    assert json.loads(refused.content) == {
        "error": "idempotency_key_reused",
        "message": "The response stored for this Idempotency-Key cannot be read any more. "
        "Send a new key.",
        "details": {"Idempotency-Key": "k"},
    }
    settings.SECRET_KEY_FALLBACKS = [before]
    again = ask(alice, "k")
    assert replayed(again)
    assert content_of(again) == content_of(first)
    assert created() == 1


def test_expired_keys_are_purged(alice: KeyClient) -> None:
    ask(alice, "old")
    age(DAY)
    ask(alice, "new")
    purge_idempotency_keys()
    assert [row.key for row in IdempotencyKey.objects.all()] == ["new"]


def test_expired_keys_are_purged_every_hour() -> None:
    current_app.loader.import_default_modules()
    plan = current_app.conf.beat_schedule["Purge idempotency keys"]
    assert plan["schedule"] == crontab(minute="27")
    assert plan["task"] in current_app.tasks
    assert plan["options"]["queue"] == "maintenance"


@contextmanager
def uncommitted(client: KeyClient, key: str, *, then: str) -> Iterator[HttpResponse]:
    """Send a request and keep its transaction open until the end of the block."""
    with transaction.atomic():
        yield ask(client, key)
        transaction.set_rollback(then == "rollback")


def send_from_thread(client: KeyClient, key: str) -> HttpResponse:
    """Send a request on a separate database connection."""
    try:
        return ask(client, key)
    finally:
        connections.close_all()


def wait_for_lock(future: Future[HttpResponse]) -> None:
    """Wait until the request in a thread waits for a lock in the database."""
    deadline = time.monotonic() + 10
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            if cursor.fetchone()[0]:
                return
            assert not future.done(), "it did not wait"
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("old", [False, True], ids=["a new key", "an old key"])
@pytest.mark.parametrize("then", ["commit", "rollback"])
def test_a_concurrent_request_with_the_same_key_waits_for_the_first(
    alice: KeyClient, bob: KeyClient, then: str, old: bool
) -> None:
    if old:
        ask(alice, "k", {"name": "Yesterday"})
        age(DAY)
    with ThreadPoolExecutor(1) as pool:
        with uncommitted(alice, "k", then=then) as first:
            future = pool.submit(send_from_thread, bob, "k")
            wait_for_lock(future)
        second = future.result(timeout=60)
    assert second.status_code == 201
    assert created() == 1
    assert replayed(second) is (then == "commit")
    assert (content_of(first) == content_of(second)) is (then == "commit")


@pytest.mark.django_db(transaction=True)
def test_other_keys_and_organizations_do_not_wait(
    alice: KeyClient, bob: KeyClient, charlie: KeyClient
) -> None:
    with ThreadPoolExecutor(1) as pool, uncommitted(alice, "k", then="rollback"):
        for client, key in ((bob, "another"), (charlie, "k")):
            response = pool.submit(send_from_thread, client, key).result(timeout=60)
            assert (response.status_code, replayed(response)) == (201, False)


@pytest.mark.django_db(transaction=True)
def test_concurrent_requests_with_one_key_create_one_object(acme: Organization) -> None:
    clients = [KeyClient(acme, str(number), Scope.WRITE) for number in range(8)]
    start = Barrier(len(clients))

    def race(client: KeyClient) -> HttpResponse:
        start.wait()
        return send_from_thread(client, "k")

    with ThreadPoolExecutor(len(clients)) as pool:
        responses = list(pool.map(race, clients))
    assert len({content_of(response) for response in responses}) == 1
    assert sum(map(replayed, responses)) == len(clients) - 1
    assert created() == 1
