"""Rate limits with the real Valkey, without Valkey, and with one that hangs."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis
from django.test.client import Client
from pytest_django import Settings
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from longshore.accounts.throttling import ApiKeyThrottle, DenialThrottle
from longshore.api.views import RATE_HEADERS
from longshore.cache import ValkeyCache, cache
from tests.conftest import KeyClient

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.accounts.urls")]


class Clock:
    """A clock that only tests move. It starts 45.5 seconds into a minute."""

    def __init__(self) -> None:
        self.now = 60 * 20_000_000 + 45.5

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(ApiKeyThrottle, "timer", clock)
    return clock


@pytest.fixture
def three_a_minute(settings: Settings, clock: Clock) -> None:
    settings.API_RATE_LIMIT = "3/min"


def statuses(client: KeyClient, times: int) -> list[int]:
    return [client.get("/v1/echo").status_code for _ in range(times)]


@pytest.mark.usefixtures("three_a_minute")
def test_a_request_above_the_limit_is_429_with_retry_after(alice: KeyClient) -> None:
    assert statuses(alice, 3) == [200, 200, 200]
    response = alice.get("/v1/echo")
    assert response.status_code == 429
    assert response["Retry-After"] == "15"
    assert response.json() == {
        "error": "rate_limited",
        "message": "Too many requests with this API key. Try again in 15 s.",
        "details": {"retry_after": 15},
    }


@pytest.mark.usefixtures("three_a_minute")
def test_every_response_states_what_is_left(alice: KeyClient, settings: Settings) -> None:
    def headers() -> list[str | None]:
        response = alice.get("/v1/echo")
        return [response.headers.get(name) for name in RATE_HEADERS]

    assert [headers() for _ in range(4)] == [["3", left, "15"] for left in ("2", "1", "0", "0")]
    settings.API_RATE_LIMIT = ""
    assert headers() == [None] * 3


@pytest.mark.usefixtures("three_a_minute")
def test_each_key_is_counted_separately(alice: KeyClient, bob: KeyClient) -> None:
    assert statuses(alice, 4) == [200, 200, 200, 429]
    assert statuses(bob, 3) == [200, 200, 200]


@pytest.mark.usefixtures("three_a_minute")
def test_the_count_restarts_with_each_period(alice: KeyClient, clock: Clock) -> None:
    assert statuses(alice, 4) == [200, 200, 200, 429]
    clock.now += 14.4
    assert statuses(alice, 1) == [429]
    clock.now += 0.1
    assert statuses(alice, 4) == [200, 200, 200, 429]


def test_without_a_limit_requests_are_not_counted(
    alice: KeyClient, settings: Settings, clock: Clock
) -> None:
    settings.API_RATE_LIMIT = ""
    assert statuses(alice, 5) == [200] * 5
    assert cache.get(count_key(alice, clock)) is None


@pytest.mark.slow
def test_a_public_view_is_not_throttled(client: KeyClient, settings: Settings) -> None:
    settings.API_RATE_LIMIT = "1/day"
    assert [client.get("/v1/public").status_code for _ in range(3)] == [200] * 3


@pytest.mark.usefixtures("three_a_minute")
def test_a_count_expires_within_one_period_of_its_end(
    alice: KeyClient, settings: Settings, clock: Clock
) -> None:
    statuses(alice, 3)
    key = count_key(alice, clock)
    assert cache.get(key) == 3
    with redis.Redis.from_url(settings.CACHE_URL) as valkey:
        assert 50 < int(valkey.ttl(cache.make_key(key))) <= 60


def test_concurrent_requests_are_all_counted(
    alice: KeyClient, settings: Settings, clock: Clock
) -> None:
    settings.API_RATE_LIMIT = "100/hour"
    request = Request(APIRequestFactory().get("/v1/echo"))
    request.auth = alice.api_key

    def allowed(_: int) -> bool:
        return ApiKeyThrottle().allow_request(request, None)  # type: ignore[arg-type]

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(allowed, range(400))) == 100


@pytest.fixture
def hanging_server() -> Iterator[str]:
    """The URL of a server that accepts connections and never responds."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/1"


@pytest.mark.slow
@pytest.mark.usefixtures("three_a_minute")
@pytest.mark.parametrize("server", ["gone", "hanging"])
def test_without_valkey_requests_pass_without_delay_and_log_a_warning(
    alice: KeyClient,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    hanging_server: str,
    caplog: pytest.LogCaptureFixture,
    server: str,
) -> None:
    url = {"gone": f"unix://{tmp_path}/valkey.sock", "hanging": hanging_server}[server]
    monkeypatch.setitem(vars(cache), "_wrapped", ValkeyCache(url, {}))
    began = time.monotonic()
    assert statuses(alice, 1) == [200]
    assert time.monotonic() - began < 10
    (record,) = [
        record for record in caplog.records if record.name == "longshore.accounts.throttling"
    ]
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith("Requests are not throttled, Valkey does not respond: ")


def count_key(client: KeyClient, clock: Clock) -> str:
    return f"throttle:{client.api_key.pk}:{clock.now // 60:.0f}"


@pytest.fixture
def three_denials(settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DenialThrottle, "timer", clock)
    settings.API_DENIED_RATE_LIMIT = "3/min"
    cache.clear()


def denied(client: Client, address: str, **headers: str) -> Any:
    return client.get("/v1/echo", headers=headers, REMOTE_ADDR=address)


@pytest.mark.usefixtures("three_denials")
def test_denied_requests_above_the_limit_of_an_address_are_429(
    client: Client, read_only: KeyClient, alice: KeyClient
) -> None:
    wrong = {"PX-API-KEY": "x" * 8 + "." + "y" * 32}
    assert denied(client, "192.0.2.1", **wrong).status_code == 401
    assert denied(client, "192.0.2.1").status_code == 401
    assert read_only.post("/v1/echo", {}, REMOTE_ADDR="192.0.2.1").status_code == 403
    for response in (
        denied(client, "192.0.2.1", **wrong),
        denied(client, "192.0.2.1"),
        read_only.post("/v1/echo", {}, REMOTE_ADDR="192.0.2.1"),
    ):
        assert response.status_code == 429
        assert response["Retry-After"] == "15"
        assert response.json() == {
            "error": "rate_limited",
            "message": "Too many requests from this IP address were denied. Try again in 15 s.",
            "details": {"retry_after": 15},
        }
    # Other addresses are counted separately, and valid requests pass.
    assert denied(client, "192.0.2.2").status_code == 401
    assert alice.get("/v1/echo", REMOTE_ADDR="192.0.2.1").status_code == 200
    # A forged X-Forwarded-For has no effect.
    assert denied(client, "192.0.2.1", **{"X-Forwarded-For": "192.0.2.9"}).status_code == 429


@pytest.mark.usefixtures("three_denials")
def test_without_a_limit_denials_are_not_counted(client: Client, settings: Settings) -> None:
    settings.API_DENIED_RATE_LIMIT = ""
    assert [denied(client, "192.0.2.1").status_code for _ in range(5)] == [401] * 5
