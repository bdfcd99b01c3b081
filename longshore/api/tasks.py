"""Periodic tasks of the API. Each may run twice, or end halfway."""

from celery import shared_task

from longshore.api import idempotency


@shared_task(name="api.purge_idempotency_keys")
def purge_idempotency_keys() -> None:
    """Delete expired idempotency keys."""
    idempotency.purge()
