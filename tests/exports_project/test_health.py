"""/healthz and /readyz: public, fast, without details, and correct."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import boto3
import pytest
import redis
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from moto.server import ThreadedMotoServer
from pytest_django import Settings

from batches.lifecycle.transitions import batch_lifecycle
from exports.lifecycle.transitions import export_lifecycle
from exports_project import embedded
from exports_project.health import CHECKS, Check
from exports_project.object_storage import s3
from longshore.cache import cache
from longshore.jobs import heartbeats, maintenance
from tests.exports.conftest import wait_for, working

SECRETS = (str(django_settings.LOCAL_DIR), "longshore", "Error", "Traceback", "sock")


@pytest.fixture(autouse=True)
def no_heartbeats() -> Iterator[None]:
    cache.clear()
    yield
    # A check that a test made hang must not share its result with the next test.
    for check in CHECKS:
        check.begin().result(60)


@pytest.fixture
def workers(transactional_db: None) -> Iterator[None]:
    """A worker that serves every queue, after a recovery."""
    with working("large,quick,maintenance,webhooks"):
        maintenance.recover(export_lifecycle)
        maintenance.recover(batch_lifecycle)
        wait_for(lambda: heartbeats.is_fresh("webhooks"))
        yield


@pytest.fixture
def broken_storage(settings: Settings) -> Path:
    """A storage whose folder cannot be created, because a file has its name."""
    path = Path(settings.LOCAL_DIR) / "in-the-way"
    path.touch()
    options = settings.STORAGES["longshore"]["OPTIONS"] | {"location": str(path)}
    default = settings.STORAGES["longshore"] | {"OPTIONS": options}
    settings.STORAGES = settings.STORAGES | {"longshore": default}
    return path


def states(response: Any) -> dict[str, str]:
    for secret in SECRETS:
        assert secret not in response.content.decode()
    return {name: check["state"] for name, check in response.json()["checks"].items()}


def test_healthz_responds_over_http_on_any_host_without_a_database(
    client: Client, settings: Settings
) -> None:
    """The test has no access to the database."""
    settings.SECURE_SSL_REDIRECT = True
    response = client.get("/healthz", headers={"Host": "10.0.0.7:8000"})
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert client.post("/healthz").status_code == 405


def test_readyz_is_ok_if_every_part_works(client: Client, workers: None) -> None:
    response = client.get("/readyz", headers={"Host": "10.0.0.7:8000"})
    assert set(states(response).items()) == {
        ("database", "ok"),
        ("broker", "ok"),
        ("storage", "ok"),
        ("worker_quick", "ok"),
        ("worker_large", "ok"),
        ("worker_webhooks", "ok"),
        ("recovery", "ok"),
    }
    assert (response.status_code, response.json()["status"]) == (200, "ok")
    for check in response.json()["checks"].values():
        assert check["milliseconds"] >= 0
    assert not (Path(django_settings.LOCAL_DIR) / "exports" / "readyz").exists()


@pytest.mark.django_db(transaction=True)
def test_readyz_fails_without_workers(client: Client) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (503, "unavailable")
    failed = {name for name, state in states(response).items() if state == "failed"}
    assert failed == {"worker_quick", "worker_large", "worker_webhooks", "recovery"}


@pytest.mark.django_db(transaction=True)
def test_a_worker_of_one_queue_leaves_no_heartbeat_for_others(client: Client) -> None:
    with working("quick"):
        wait_for(lambda: heartbeats.is_fresh("quick"))
        found = states(client.get("/readyz"))
    assert (found["worker_quick"], found["worker_large"]) == ("ok", "failed")


@pytest.mark.django_db(transaction=True)
def test_readyz_fails_without_a_broker(client: Client) -> None:
    socket = embedded.valkey_socket(django_settings.LOCAL_DIR)
    hidden = socket.rename(socket.with_name("hidden.sock"))
    try:
        found = states(client.get("/readyz"))
    finally:
        hidden.rename(socket)
    assert (found["broker"], found["database"], found["storage"]) == ("failed", "ok", "ok")


@pytest.mark.django_db(transaction=True)
def test_readyz_does_not_wait_for_a_frozen_broker(client: Client) -> None:
    with redis.Redis.from_url(embedded.cache_url(django_settings.LOCAL_DIR)) as valkey:
        number = valkey.info("server")["process_id"]
    os.kill(number, signal.SIGSTOP)
    try:
        began = time.monotonic()
        first, second = client.get("/readyz"), client.get("/readyz")
        assert time.monotonic() - began < 20
    finally:
        os.kill(number, signal.SIGCONT)
    for response in (first, second):
        found = states(response)
        assert (found["database"], found["storage"]) == ("ok", "ok")
        assert {found["broker"], found["worker_quick"]} <= {"failed", "timeout"}
    wait_for(lambda: states(client.get("/readyz"))["broker"] == "ok")


@pytest.mark.django_db(transaction=True)
def test_readyz_does_not_wait_for_a_database_that_does_not_respond(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(".s.PGSQL.5432")
        mute.listen()
        monkeypatch.setitem(connection.settings_dict, "HOST", str(tmp_path))
        began = time.monotonic()
        found = states(client.get("/readyz"))
    assert time.monotonic() - began < 10
    assert (found["database"] != "ok", found["broker"]) == (True, "ok")


@pytest.mark.django_db(transaction=True)
def test_readyz_fails_if_the_storage_cannot_be_written(
    client: Client, broken_storage: Path
) -> None:
    found = states(client.get("/readyz"))
    assert (found["storage"], found["database"]) == ("failed", "ok")


@pytest.mark.django_db(transaction=True)
def test_readyz_fails_if_the_bucket_does_not_exist(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    default = s3("ready-or-not", endpoint, "us-east-1")
    settings.STORAGES = settings.STORAGES | {"longshore": default}
    try:
        assert states(client.get("/readyz"))["storage"] == "failed"
        own = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
        own.create_bucket(Bucket="ready-or-not")
        assert states(client.get("/readyz"))["storage"] == "ok"
    finally:
        server.stop()


def test_concurrent_callers_share_one_run_of_a_check() -> None:
    started, end = [], Event()

    def run() -> None:
        started.append(1)
        end.wait(30)

    check = Check("slow", run)
    runs = [check.begin() for _ in range(20)]
    end.set()
    assert {run.result(30).state for run in runs} == {"ok"}
    assert len(started) == 1
    assert check.begin().result(30).state == "ok"
    assert len(started) == 2
