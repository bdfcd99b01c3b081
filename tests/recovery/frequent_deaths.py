"""Settings of the tests that kill the attempts of batches."""

from datetime import timedelta

from exports_project.settings import CELERY_BEAT_SCHEDULE, INSTALLED_APPS
from tests.recovery.settings import *  # noqa: F403

INSTALLED_APPS += ["tests.recovery.apps.FrequentDeathsConfig"]
CELERY_BEAT_SCHEDULE["Recover batches"] = {
    "task": "batches.recover",
    "schedule": timedelta(seconds=1),
    "options": {"expire_seconds": 5},
}
