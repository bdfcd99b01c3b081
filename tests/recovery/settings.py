"""The settings of a stack that is made to fail: the project's, on a storage that can."""

from exports_project.settings import *  # noqa: F403
from exports_project.settings import STORAGES

STORAGES["default"]["BACKEND"] = "tests.recovery.storage.FaultyStorage"
# Nothing is collected, so nothing is hashed.
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
