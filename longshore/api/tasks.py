"""Periodic tasks of the API. Each may run twice, or end halfway."""

from celery.schedules import crontab

from longshore.api import idempotency
from longshore.api.periodic_tasks import maintenance_task, schedule


@maintenance_task("api.purge_idempotency_keys")
def purge_idempotency_keys() -> None:
    """Delete expired idempotency keys."""
    idempotency.purge()


schedule("Purge idempotency keys", "api.purge_idempotency_keys", crontab(minute="27"))
