"""What senders and the scheduler run; each can run twice, or die half-way, at no loss."""

from celery import shared_task

from webhooks import maintenance, queueing, runner


@shared_task(name=queueing.SEND)
def send(number: int) -> None:
    runner.run(number)


@shared_task(name="webhooks.sweep")
def sweep() -> None:
    maintenance.sweep()


@shared_task(name="webhooks.tell")
def tell() -> None:
    maintenance.tell()


@shared_task(name="webhooks.purge")
def purge() -> None:
    maintenance.purge()
