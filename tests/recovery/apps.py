from datetime import timedelta

from django.apps import AppConfig


class ShortDelaysConfig(AppConfig):
    """Shortens the delays of recovery and retries, which are constants, for the tests."""

    name = "tests.recovery"

    def ready(self) -> None:
        from exports.lifecycle import transitions
        from longshore.jobs import lifecycle, maintenance

        maintenance.MAX_SILENCE = timedelta(seconds=4)
        maintenance.MAX_MESSAGE_AGE = timedelta(seconds=6)
        maintenance.MIN_AGE = timedelta(seconds=2)
        # Together longer than the outage of the storage.
        lifecycle.RETRY_DELAYS = (timedelta(seconds=2), timedelta(seconds=9))
        transitions.REPLICA_DELAYS = (timedelta(0), timedelta(seconds=1))


class FrequentDeathsConfig(ShortDelaysConfig):
    """Lets a batch survive any number of attempts, and divides it into many chunks."""

    def ready(self) -> None:
        super().ready()
        from batches.merging import chunks
        from longshore.jobs import lifecycle

        chunks.CHUNK_ROWS = 100
        lifecycle.RETRY_DELAYS = (timedelta(0),) * 100  # type: ignore[assignment]
