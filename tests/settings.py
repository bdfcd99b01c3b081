"""Settings of a separate process that uses the test database."""

import os

from exports_project.settings import *  # noqa: F403
from exports_project.settings import DATABASES

DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE"]
