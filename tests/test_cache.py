"""The cache stores JSON and never executes its content."""

import os
import pickle
from pathlib import Path

import pytest
from pytest_django import Settings
from redis import Redis

from longshore.cache import cache
from tests.conftest import KeyClient


class Payload:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_a_pickle_in_valkey_is_not_executed(tmp_path: Path, valkey: Redis) -> None:
    path = tmp_path / "executed"
    valkey.set("longshore:1:planted", pickle.dumps(Payload(path)))
    assert cache.get("planted") is None
    assert cache.get("planted", 7) is None
    assert not path.exists()


@pytest.mark.django_db
def test_a_request_succeeds_if_its_counter_was_replaced_by_a_pickle(
    alice: KeyClient,
    tmp_path: Path,
    valkey: Redis,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.API_RATE_LIMIT = "600/min"
    path = tmp_path / "executed"
    monkeypatch.setattr("longshore.accounts.throttling.SimpleRateThrottle.timer", lambda self: 60.0)
    name = f"longshore:1:throttle:{alice.api_key.pk}:1"
    valkey.set(name, pickle.dumps(Payload(path)))
    assert alice.get("/v1/exports").status_code == 200
    assert "Requests are not throttled" in caplog.text
    assert not path.exists()


@pytest.mark.parametrize("value", [1, 0, -5, "text", "7", None, True, [1, "é"], {"a": 1.5}])
def test_values_and_their_types_are_preserved(value: object) -> None:
    cache.set("value", value)
    assert cache.get("value") == value
    assert type(cache.get("value")) is type(value)


def test_counters_are_incremented() -> None:
    cache.delete("count")
    assert cache.add("count", 1)
    assert cache.incr("count") == 2
    assert cache.get("count") == 2
