"""What workers and the scheduler run; each can run twice, or die half-way, at no loss."""

from celery import shared_task

from exports.execution import runner
from exports.lifecycle import maintenance, queues


@shared_task(name=queues.RUN_EXPORT)
def run_export(number: int) -> None:
    runner.run(number)


@shared_task(name=queues.DISCARD)
def discard() -> None:
    maintenance.discard()


@shared_task(name="exports.recover")
def recover() -> None:
    maintenance.recover()


@shared_task(name="exports.expire")
def expire() -> None:
    maintenance.expire()


@shared_task(name="exports.purge")
def purge() -> None:
    maintenance.purge()
