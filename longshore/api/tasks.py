"""Periodic tasks of the API. Each may run twice, or end halfway."""

from celery import shared_task
from celery.schedules import crontab

from longshore.api import idempotency
from longshore.api.periodic_tasks import schedule


@shared_task(name="api.purge_idempotency_keys")
def purge_idempotency_keys() -> None:
    """Delete expired idempotency keys."""
    idempotency.purge()


schedule("Purge idempotency keys", "api.purge_idempotency_keys", crontab(minute="27"))
