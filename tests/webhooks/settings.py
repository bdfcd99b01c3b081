"""The settings of a worker of its own process, on the database of the tests."""

from exports_project.settings import *  # noqa: F403
from exports_project.settings import DATABASES

DATABASES["default"]["NAME"] = f"test_{DATABASES['default']['NAME']}"
