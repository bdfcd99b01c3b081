"""Settings of the stack of the tests of recovery, with a storage that can fail."""

from exports_project.settings import *  # noqa: F403
from exports_project.settings import STORAGES

STORAGES["longshore"]["BACKEND"] = "tests.recovery.storage.FaultyStorage"
# The tests do not run collectstatic.
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
