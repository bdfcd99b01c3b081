"""The process table agrees with Celery's queues, the health checks and the documentation."""

import pytest
from celery import Celery, current_app
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from exports.models import Lane
from exports_project.health import CHECKS
from exports_project.processes import (
    PROCESSES,
    QUEUES,
    as_markdown,
    celery_queues,
    with_project_queues,
    worker_checks,
)
from longshore.jobs.heartbeats import names_of
from webhooks.queueing import QUEUE as WEBHOOKS


def test_celery_declares_the_queues_of_the_table() -> None:
    assert {queue.name for queue in current_app.conf.task_queues} == set(QUEUES)
    assert settings.CELERY_TASK_DEFAULT_QUEUE in QUEUES


def test_exactly_one_worker_serves_each_queue() -> None:
    assert sorted(queue for process in PROCESSES.values() for queue in process.queues) == QUEUES


def test_workers_serve_every_queue_that_exports_and_webhooks_use() -> None:
    assert {*Lane.values, WEBHOOKS, settings.CELERY_TASK_DEFAULT_QUEUE} == set(QUEUES)


def test_readyz_checks_every_worker() -> None:
    names = {check.name for check in CHECKS}
    assert names == {
        *("database", "broker", "storage", "recovery"),
        *("worker_quick", "worker_large", "worker_webhooks"),
    }
    workers = [process for process in PROCESSES.values() if process.queues]
    assert {process.health_check for process in workers} < names


def test_the_local_command_differs_from_production_only_in_concurrency() -> None:
    for process in PROCESSES.values():
        words = [word for word in process.program if "--concurrency" not in word]
        local = [word for word in process.local if "--concurrency" not in word]
        assert local == words


def test_the_documentation_holds_the_table() -> None:
    """`python -m exports_project.processes` prints it."""
    assert as_markdown() in (settings.BASE_DIR / "docs" / "operations.md").read_text()


def test_queues_of_the_project_have_workers_and_checks() -> None:
    processes = with_project_queues({"mail": 4})
    assert list(processes) == [*PROCESSES, "mail"]
    command = processes["mail"].local
    assert command[command.index("-Q") + 1] == "mail"
    assert "--concurrency=4" in command
    assert worker_checks({"mail": 4})["worker_mail"] == ("mail",)


@pytest.mark.parametrize("name", ["large", "maintenance", "web"])
def test_a_queue_of_the_project_cannot_have_the_name_of_a_process(name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"PROJECT_QUEUES has the name '{name}'"):
        with_project_queues({name: 1})


def test_only_the_broker_sees_the_prefix_of_queues() -> None:
    app = Celery(set_as_current=False)
    app.conf.task_queues = celery_queues("own.", ["mail"])
    route = app.amqp.router.route({"queue": "mail"}, "a_task")["queue"]
    assert (route.name, route.exchange.name, route.routing_key) == ("own.mail",) * 3
    app.amqp.queues.select(["quick"])
    [consumed] = app.amqp.queues.consume_from.values()
    assert (consumed.name, names_of([consumed])) == ("own.quick", ["quick"])
