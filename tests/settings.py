"""The settings of a worker of its own process, on the database of the tests."""

import os

from exports_project.settings import *  # noqa: F403
from exports_project.settings import DATABASES

DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE"]
