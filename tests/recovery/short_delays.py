"""Settings of the tests, with short delays of recovery and retries."""

from datetime import timedelta

from exports_project.settings import CELERY_BEAT_SCHEDULE, INSTALLED_APPS
from tests.recovery.settings import *  # noqa: F403

INSTALLED_APPS += ["tests.recovery.apps.ShortDelaysConfig"]
CELERY_BEAT_SCHEDULE["Recover exports"] = {
    "task": "exports.recover",
    "schedule": timedelta(seconds=1),
    "options": {"expire_seconds": 5},
}
