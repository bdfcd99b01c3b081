"""Celery tasks of webhooks. Every task may run twice or die half-way without losing anything."""

from datetime import timedelta

from celery import shared_task
from celery.schedules import crontab

from longshore.api.periodic_tasks import maintenance_task, schedule
from webhooks import maintenance, queueing, runner


@shared_task(name=queueing.SEND)
def send(number: int) -> None:
    runner.run(number)


@maintenance_task("webhooks.sweep")
def sweep() -> None:
    maintenance.sweep()


@maintenance_task("webhooks.notify")
def notify() -> None:
    maintenance.notify()


@maintenance_task("webhooks.purge")
def purge() -> None:
    maintenance.purge()


schedule("Sweep webhooks", "webhooks.sweep", timedelta(seconds=5))
schedule("Notify owners of disabled webhooks", "webhooks.notify", timedelta(minutes=1))
schedule("Purge webhooks", "webhooks.purge", crontab(minute="47"))
