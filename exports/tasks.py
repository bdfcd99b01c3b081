"""What workers and the scheduler run; each can run twice, or die half-way, at no loss."""

from celery import shared_task

from exports import lifecycle, runner


@shared_task(name=lifecycle.RUN_EXPORT)
def run_export(number: int) -> None:
    runner.run(number)


@shared_task(name="exports.recover")
def recover() -> None:
    lifecycle.recover()


@shared_task(name="exports.expire")
def expire() -> None:
    lifecycle.expire()
