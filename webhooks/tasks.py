"""What senders and the scheduler run; each can run twice, or die half-way, at no loss."""

from celery import shared_task

from webhooks import queue, runner, upkeep


@shared_task(name=queue.SEND)
def send(number: int) -> None:
    runner.run(number)


@shared_task(name="webhooks.sweep")
def sweep() -> None:
    upkeep.sweep()


@shared_task(name="webhooks.tell")
def tell() -> None:
    upkeep.tell()


@shared_task(name="webhooks.purge")
def purge() -> None:
    upkeep.purge()
