"""Celery tasks of webhooks. Every task may run twice or die half-way without losing anything."""

from datetime import timedelta

from celery import shared_task
from celery.schedules import crontab

from longshore.api.periodic_tasks import schedule
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


schedule("Sweep webhooks", "webhooks.sweep", timedelta(seconds=5))
schedule("Notify owners of disabled webhooks", "webhooks.notify", timedelta(minutes=1))
schedule("Purge webhooks", "webhooks.purge", crontab(minute="47"))
