"""What a worker of the real broker outlives, and what beat sends."""

import os
from copy import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from kombu.message import Message

from exports.models import Export, Status
from exports.queue import RUN_EXPORT
from exports_project.serve import PROGRAMS
from resources.logistics.models import Contact
from tests.conftest import KeyClient
from tests.exports.conftest import contacts, storage, wait_for, worker

__all__ = ["contacts", "storage", "worker"]


@pytest.mark.django_db(transaction=True)
def test_a_worker_outlives_a_message_that_it_cannot_acknowledge(
    alice: KeyClient, contacts: list[Contact], worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ack = Message.ack
    raised = []

    def broken(self: Message, *args: Any, **named: Any) -> None:
        ack(self, *args, **named)
        raised.append(self)
        raise AttributeError("'NoneType' object has no attribute 'hostname'")

    monkeypatch.setattr(Message, "ack", broken)
    for _ in range(2):
        assert alice.post("/v1/exports", {"resource": "contact"}).status_code == 201
    wait_for(lambda: Export.objects.filter(status=Status.COMPLETED).count() == 2)
    assert raised


class Payload:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.django_db(transaction=True)
def test_a_worker_refuses_a_pickled_task_and_goes_on(
    alice: KeyClient, contacts: list[Contact], worker: None, tmp_path: Path
) -> None:
    path = tmp_path / "executed"
    current_app.send_task(RUN_EXPORT, args=[Payload(path)], serializer="pickle", queue="quick")
    assert alice.post("/v1/exports", {"resource": "contact"}).status_code == 201
    # The queue is first in, first out, and the worker has one thread.
    wait_for(lambda: Export.objects.filter(status=Status.COMPLETED).exists())
    assert not path.exists()


@pytest.mark.parametrize("name", ["Purge exports", "Purge idempotency keys", "Purge webhooks"])
def test_what_is_done_each_hour_does_not_wait_for_beat_to_live_an_hour(name: str) -> None:
    schedule = copy(settings.CELERY_BEAT_SCHEDULE[name]["schedule"])
    started = datetime(2024, 7, 1, 11, 50, tzinfo=UTC)
    schedule.nowfun = lambda: started + timedelta(minutes=59)
    assert schedule.is_due(started).is_due


def test_every_queue_has_an_exchange_and_a_routing_key_of_its_own() -> None:
    for queue in settings.CELERY_TASK_QUEUES:
        assert queue.exchange.name == queue.routing_key == queue.name


def test_make_run_starts_a_worker_for_every_queue() -> None:
    commands = [list(command) for command, _ in PROGRAMS.values()]
    taken = {command[command.index("-Q") + 1] for command in commands if "-Q" in command}
    assert taken == {queue.name for queue in settings.CELERY_TASK_QUEUES}
