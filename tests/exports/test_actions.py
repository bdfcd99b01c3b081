"""Cancel, retry and delete take effect at once, and only for the own organization."""

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import connection, connections
from django.utils import timezone
from psycopg import sql
from pytest_django import Settings

from exports.execution import runner
from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export, Status
from exports.reading import stream
from exports.sql import compiler
from longshore.domains.logistics.models import Contact
from longshore.files.storage import file_storage
from longshore.jobs import maintenance
from longshore.jobs.lifecycle import Superseded
from longshore.jobs.statuses import RETRYABLE
from tests.claims import claim
from tests.conftest import KeyClient
from tests.exports.conftest import downloaded, stored_files, wait_for
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the first row of each export take the database a minute."""

    def compile_slowly(*args: Any) -> compiler.Statement:
        statement = compiler.compile_export(*args)
        text = statement.copy.as_string(None)
        text = text.replace('"row"."name" AS', "pg_sleep(60)::text AS")
        return replace(statement, copy=sql.SQL(text))

    monkeypatch.setattr(stream, "compile_export", compile_slowly)


@pytest.fixture
def running(queued: Export, endless: None) -> Iterator[Export]:
    """Return an export that a worker is writing."""

    def work() -> None:
        runner.run(queued.pk)
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    wait_for(lambda: _sleeping() == 1)
    yield queued
    thread.join(30)
    assert not thread.is_alive()


def _sleeping() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event = 'PgSleep'"
        )
        count: int = cursor.fetchone()[0]
        return count


def history(export: Export) -> list[str]:
    return [event.status for event in export.events.all()]


def url_of(export: Export, *path: str) -> str:
    return "/".join(["/v1/exports", export.public_id, *path])


def test_canceling_an_export_stops_its_query(alice: KeyClient, running: Export) -> None:
    response = alice.post(url_of(running, "cancel"))
    assert (response.status_code, response.json()["status"]) == (200, "canceled")
    wait_for(lambda: _sleeping() == 0, 10)
    wait_for(lambda: stored_files() == [], 10)
    running.refresh_from_db()
    assert (running.status, running.files.count()) == (Status.CANCELED, 0)
    assert history(running) == ["processing", "canceled"]


def test_a_canceled_queued_export_never_runs(alice: KeyClient, queued: Export) -> None:
    assert alice.post(url_of(queued, "cancel")).status_code == 200
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.CANCELED
    again = alice.post(url_of(queued, "cancel"))
    assert (again.status_code, again.json()["status"]) == (200, "canceled")
    assert history(queued) == ["canceled"]


def test_an_ended_export_cannot_be_canceled(alice: KeyClient, queued: Export) -> None:
    runner.run(queued.pk)
    response = alice.post(url_of(queued, "cancel"))
    assert response.status_code == 409
    assert response.json()["error"] == "invalid_status"
    assert response.json()["details"] == {
        "status": "completed",
        "accepted": ["queued", "processing"],
    }


@pytest.mark.parametrize("status", RETRYABLE)
def test_an_ended_export_without_files_is_retried_under_the_same_id(
    alice: KeyClient, queued: Export, worker: None, status: Status
) -> None:
    if status == Status.EXPIRED:
        runner.run(queued.pk)
        Export.objects.update(expires_at=timezone.now())
        maintenance.expire(export_lifecycle)
    else:
        Export.objects.update(status=status, completed_at=timezone.now(), error={"error": "x"})
    response = alice.post(url_of(queued, "retry"))
    assert response.status_code == 200
    body = response.json()
    assert (body["status"], body["error"], body["files"]) == ("queued", None, [])
    wait_for(lambda: Export.objects.get().status == Status.COMPLETED)
    link = alice.get(url_of(queued, "download")).json()["url"]
    assert len(downloaded(link).splitlines()) == 6
    assert history(queued)[-3:] == ["queued", "processing", "completed"]


def test_an_export_that_has_just_expired_can_be_retried(alice: KeyClient, queued: Export) -> None:
    runner.run(queued.pk)
    Export.objects.update(expires_at=timezone.now())
    assert alice.get(url_of(queued)).json()["status"] == "expired"
    assert alice.post(url_of(queued, "retry")).json()["status"] == "queued"
    assert history(queued) == ["processing", "completed", "expired", "queued"]
    assert stored_files() == []


def test_the_event_of_a_retry_lists_no_files(alice: KeyClient, queued: Export) -> None:
    runner.run(queued.pk)
    Export.objects.update(status=Status.EXPIRED)
    assert alice.post(f"/v1/exports/{queued.public_id}/retry").status_code == 200
    event = Event.objects.get(type="export.queued")
    assert event.data["files"] == []
    assert not queued.files.exists()


def test_an_export_that_has_not_ended_or_expired_cannot_be_retried(
    alice: KeyClient, queued: Export
) -> None:
    assert alice.post(url_of(queued, "retry")).json()["details"]["status"] == "queued"
    runner.run(queued.pk)
    response = alice.post(url_of(queued, "retry"))
    assert (response.status_code, response.json()["error"]) == (409, "invalid_status")
    assert len(stored_files()) == 2


def test_an_attempt_that_began_before_a_retry_cannot_complete_the_export(
    alice: KeyClient, queued: Export
) -> None:
    before = claim(export_lifecycle, queued)
    assert before is not None
    alice.post(url_of(queued, "cancel"))
    alice.post(url_of(queued, "retry"))
    with pytest.raises(Superseded):
        export_lifecycle.complete_with_files(before, [])
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.COMPLETED


def test_a_worker_deletes_the_files_of_a_deleted_export(
    alice: KeyClient, queued: Export, worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def note(storage: FileSystemStorage, name: str) -> None:
        threads.append(threading.current_thread())
        delete(storage, name)

    threads: list[threading.Thread] = []
    delete = FileSystemStorage.delete
    monkeypatch.setattr(FileSystemStorage, "delete", note)
    runner.run(queued.pk)
    link = alice.get(url_of(queued, "download")).json()["url"]
    response = alice.delete(url_of(queued))
    assert (response.status_code, response.content) == (204, b"")
    wait_for(lambda: not Export.objects.exists(), 10)
    assert stored_files() == []
    assert threading.current_thread() not in threads
    assert alice.get(url_of(queued)).status_code == 404
    assert alice.get(link).status_code == 404
    assert alice.delete(url_of(queued)).status_code == 404


def test_deleting_a_running_export_stops_it(alice: KeyClient, running: Export) -> None:
    assert alice.delete(url_of(running)).status_code == 204
    wait_for(lambda: _sleeping() == 0, 10)
    wait_for(lambda: stored_files() == [], 10)
    assert alice.get("/v1/exports").json()["results"] == []


def test_files_that_cannot_be_deleted_are_hidden_and_deleted_later(
    alice: KeyClient, queued: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stuck(storage: FileSystemStorage, name: str) -> None:
        raise PermissionError(name)

    runner.run(queued.pk)
    link = alice.get(url_of(queued, "download")).json()["url"]
    with monkeypatch.context() as patch:
        patch.setattr(FileSystemStorage, "delete", stuck)
        assert alice.delete(url_of(queued)).status_code == 204
        maintenance.expire(export_lifecycle)
    assert alice.get(url_of(queued)).status_code == 404
    assert alice.get(link).status_code == 404
    assert Export.objects.exists()
    maintenance.expire(export_lifecycle)
    assert not Export.objects.exists()
    assert stored_files() == []


@pytest.mark.parametrize("action", ["cancel", "retry", "delete", "events", "manifest"])
def test_another_organization_cannot_act_on_an_export(
    charlie: KeyClient, queued: Export, action: str
) -> None:
    runner.run(queued.pk)
    unknown = url_of(queued).replace(queued.public_id, "exp_unknown")
    responses = []
    for path in (url_of(queued), unknown):
        match action:
            case "delete":
                responses.append(charlie.delete(path))
            case "cancel" | "retry":
                responses.append(charlie.post(f"{path}/{action}"))
            case _:
                responses.append(charlie.get(f"{path}/{action}"))
    assert [response.status_code for response in responses] == [404, 404]
    assert responses[0].content == responses[1].content
    assert len(stored_files()) == 2


@pytest.mark.parametrize("action", ["cancel", "retry", "delete"])
def test_actions_need_the_scope_write(read_only: KeyClient, queued: Export, action: str) -> None:
    path = url_of(queued) if action == "delete" else url_of(queued, action)
    method = read_only.delete if action == "delete" else read_only.post
    assert method(path).status_code == 403
    queued.refresh_from_db()
    assert queued.status == Status.QUEUED


def test_events_list_every_status_change(alice: KeyClient, contacts: list[Contact]) -> None:
    response = alice.post("/v1/exports", {"resource": "contact"})
    export = Export.objects.get()
    taken = claim(export_lifecycle, export)
    assert taken is not None
    export_lifecycle.retry_later(taken, "The test ended the attempt.")
    Export.objects.update(not_before=None)
    runner.run(export.pk)
    events = alice.get(f"{response.json()['url']}/events").json()
    assert [(event["status"], event["attempt"]) for event in events["results"]] == [
        ("queued", 0),
        ("processing", 1),
        ("queued", 1),
        ("processing", 2),
        ("completed", 2),
    ]
    assert events["results"][2]["reason"] == "The test ended the attempt."
    times = [event["created_at"] for event in events["results"]]
    assert times == sorted(times)


def test_the_list_of_events_is_bounded(
    alice: KeyClient, contacts: list[Contact], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("longshore.jobs.models.job.MAX_EVENTS", 2)
    assert alice.post("/v1/exports", {"resource": "contact"}).status_code == 201
    export = Export.objects.get()
    runner.run(export.pk)
    assert export.events.count() == 3
    events = alice.get(url_of(export, "events")).json()["results"]
    assert [event["status"] for event in events] == ["processing", "completed"]


def test_old_exports_are_purged(queued: Export, settings: Settings) -> None:
    runner.run(queued.pk)
    Export.objects.update(expires_at=timezone.now())
    maintenance.expire(export_lifecycle)
    maintenance.purge(export_lifecycle)
    assert Export.objects.exists()
    past = timezone.now() - timedelta(days=settings.EXPORT_RECORD_DAYS, minutes=1)
    Export.objects.update(completed_at=past)
    maintenance.purge(export_lifecycle)
    assert not Export.objects.exists()


def test_orphaned_files_are_purged_after_a_day(queued: Export) -> None:
    runner.run(queued.pk)
    [known, *_] = stored_files()
    lost = known.parent.with_name("claim_of_the_past") / "000001"
    lost.parent.mkdir()
    lost.write_bytes(b"x")
    stranger = known.parents[3] / "org_gone" / "exp_gone" / "claim_gone" / "000001"
    stranger.parent.mkdir(parents=True)
    stranger.write_bytes(b"x")
    maintenance.purge(export_lifecycle)
    assert lost.exists()
    yesterday = time.time() - 86_500
    for path in stored_files():
        os.utime(path, (yesterday, yesterday))
    maintenance.purge(export_lifecycle)
    assert not lost.exists()
    assert not stranger.exists()
    assert len(stored_files()) == 2
    assert file_storage.exists(queued.files.get().storage_key)
