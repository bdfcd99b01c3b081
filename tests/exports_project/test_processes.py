"""The process table agrees with Celery's queues, the health checks and the documentation."""

from django.conf import settings

from exports.models import Lane
from exports_project.health import CHECKS
from exports_project.processes import PROCESSES, QUEUES, as_markdown
from webhooks.queueing import QUEUE as WEBHOOKS


def test_celery_declares_the_queues_of_the_table() -> None:
    assert {queue.name for queue in settings.CELERY_TASK_QUEUES} == set(QUEUES)
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
        local = [word for word in process.command() if "--concurrency" not in word]
        assert local[-len(words) :] == words


def test_the_documentation_holds_the_table() -> None:
    """`python -m exports_project.processes` prints it."""
    assert as_markdown() in (settings.BASE_DIR / "docs" / "operations.md").read_text()
