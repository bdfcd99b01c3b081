"""Celery tasks of webhooks. Every task may run twice or die half-way without losing anything."""

from celery import shared_task

from webhooks import maintenance, queueing, runner


@shared_task(name=queueing.SEND)
def send(number: int) -> None:
    runner.run(number)


@shared_task(name="webhooks.sweep")
def sweep() -> None:
    maintenance.sweep()


@shared_task(name="webhooks.notify")
def notify() -> None:
    maintenance.notify()


@shared_task(name="webhooks.purge")
def purge() -> None:
    maintenance.purge()
