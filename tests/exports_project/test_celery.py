"""Workers on the real broker: lost connections and foreign tasks; the schedule of beat."""

import os
import subprocess
import sys
from collections.abc import Iterator
from copy import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from celery import current_app
from kombu import Connection, Exchange, Queue
from kombu.common import ignore_errors
from kombu.message import Message

from exports.models import Export, Status
from exports_project import embedded
from exports_project.broker import Transport
from exports_project.embedded import servers
from longshore.domains.logistics.models import Contact
from tests.conftest import KeyClient
from tests.exports.conftest import contacts, storage, wait_for, worker

__all__ = ["contacts", "storage", "worker"]


# What each process of Longshore imports at its start.
IMPORTS = """
import sys
import exports_project.wsgi
from exports_project import celery, urls
celery.app.loader.import_default_modules()
sys.exit("pyarrow" in sys.modules)
"""


@pytest.fixture
def local_dir() -> Iterator[Path]:
    # Short, because the path of a socket is limited.
    with TemporaryDirectory(prefix="longshore-") as folder:
        yield Path(folder)


def drain(connection: Connection) -> None:
    """Read pending messages of the broker. Raises TimeoutError when there are none."""
    for _ in range(10):
        connection.drain_events(timeout=0.5)


@pytest.mark.slow
def test_a_worker_can_close_a_connection_whose_broker_is_gone(local_dir: Path) -> None:
    with servers.running(local_dir, database=False, durable=False):
        connection = current_app.connection_for_read(embedded.broker_url(local_dir))
        received: list[Message] = []
        # Like a worker: a channel for tasks with one unacknowledged task, and one for control.
        tasks = connection.Consumer(Queue("tasks"), on_message=received.append)
        control = Queue("control", Exchange("control", "fanout"), auto_delete=True)
        connection.Consumer(control, channel=connection.channel()).consume()
        connection.Producer().publish({}, routing_key="tasks")
        tasks.consume()
        while not received:
            connection.drain_events(timeout=30)
        with pytest.raises(TimeoutError):
            drain(connection)
    # As Celery does when it loses its connection.
    connection.collect()
    with ignore_errors(connection):
        connection.close()
    with pytest.raises(connection.connection_errors, match="connection to the broker is closed"):
        received[0].ack()


@pytest.mark.parametrize("scheme", ["redis", "rediss", "redis+socket"])
def test_every_scheme_of_valkey_uses_our_transport(scheme: str) -> None:
    assert Connection(f"{scheme}://host").get_transport_cls() is Transport


class Payload:
    """Creates a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.django_db(transaction=True)
def test_a_worker_refuses_a_pickled_task_and_runs_the_next(
    alice: KeyClient, contacts: list[Contact], worker: None, tmp_path: Path
) -> None:
    path = tmp_path / "executed"
    current_app.send_task("exports.run", args=[Payload(path)], serializer="pickle", queue="quick")
    assert alice.post("/v1/exports", {"resource": "contact"}).status_code == 201
    # The worker has one thread and takes tasks in order, so it has seen the first one.
    wait_for(lambda: Export.objects.filter(status=Status.COMPLETED).exists())
    assert not path.exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Purge exports", "Purge idempotency keys", "Purge webhooks"])
def test_hourly_tasks_run_by_the_clock(name: str) -> None:
    current_app.loader.import_default_modules()
    schedule = copy(current_app.conf.beat_schedule[name]["schedule"])
    started = datetime(2024, 7, 1, 11, 50, tzinfo=UTC)
    schedule.nowfun = lambda: started + timedelta(minutes=59)
    assert schedule.is_due(started).is_due


def test_every_queue_has_its_own_exchange_and_routing_key() -> None:
    for queue in current_app.conf.task_queues:
        assert queue.exchange.name == queue.routing_key == queue.name


@pytest.mark.slow
def test_no_process_imports_pyarrow_before_it_needs_it() -> None:
    """Each of six would take 37 MB more."""
    subprocess.run([sys.executable, "-c", IMPORTS], check=True, timeout=120)
