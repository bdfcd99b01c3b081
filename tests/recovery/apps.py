from datetime import timedelta

from django.apps import AppConfig


class HurryConfig(AppConfig):
    """Shortens the delays of recovery and retries, which are constants, for the tests."""

    name = "tests.recovery"

    def ready(self) -> None:
        from exports.lifecycle import maintenance, transitions

        maintenance.SILENCE = timedelta(seconds=4)
        maintenance.PATIENCE = timedelta(seconds=6)
        maintenance.SETTLED = timedelta(seconds=2)
        # Together longer than the outage of the storage.
        transitions.DELAYS = (timedelta(seconds=2), timedelta(seconds=9))
        transitions.REPLICA_DELAYS = (timedelta(0), timedelta(seconds=1))
