from datetime import timedelta

from django.apps import AppConfig


class HurryConfig(AppConfig):
    """Shortens the waits, none of which is a setting, to what a second of heartbeats allows."""

    name = "tests.recovery"

    def ready(self) -> None:
        from exports import lifecycle, upkeep

        upkeep.SILENCE = timedelta(seconds=4)
        upkeep.PATIENCE = timedelta(seconds=6)
        upkeep.SETTLED = timedelta(seconds=2)
        # Together still more than the outage of the storage.
        lifecycle.DELAYS = (timedelta(seconds=2), timedelta(seconds=9))
        lifecycle.REPLICA_DELAYS = (timedelta(0), timedelta(seconds=1))
