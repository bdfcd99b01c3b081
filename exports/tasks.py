"""What workers and the scheduler run; each can run twice, or die half-way, at no loss."""

from celery import shared_task

from exports import queue, runner, upkeep


@shared_task(name=queue.RUN_EXPORT)
def run_export(number: int) -> None:
    runner.run(number)


@shared_task(name=queue.DISCARD)
def discard() -> None:
    upkeep.discard()


@shared_task(name="exports.recover")
def recover() -> None:
    upkeep.recover()


@shared_task(name="exports.expire")
def expire() -> None:
    upkeep.expire()


@shared_task(name="exports.purge")
def purge() -> None:
    upkeep.purge()
