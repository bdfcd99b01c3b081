"""What the scheduler runs; each can run twice, or die half-way, at no loss."""

from celery import shared_task

from longshore.api import idempotency


@shared_task(name="accounts.purge")
def purge() -> None:
    idempotency.purge()
