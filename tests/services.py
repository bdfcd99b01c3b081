"""Pytest plugin: runs the tests on their own embedded servers, with default settings.

`-p tests.services` loads it before anything reads the settings.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from xdist import is_xdist_controller

# Short: the path of a UNIX socket has at most about a hundred bytes.
LOCAL_DIR = tempfile.TemporaryDirectory(prefix="longshore-")
# Unset every variable that settings read, so that all have their defaults.
EXAMPLE = Path(__file__).parent.parent / ".env.example"
for name in re.findall(r"^#([A-Z0-9_]+)=", EXAMPLE.read_text(), re.MULTILINE):
    os.environ.pop(name, None)
os.environ |= {"LOCAL_DIR": LOCAL_DIR.name, "ENV_FILE": os.devnull}
# All tests send requests from one address, and many are denied.
os.environ["API_DENIED_RATE_LIMIT"] = ""
# The tests of web processes import what limits the statements of this process, too.
os.environ["WEB_STATEMENT_TIMEOUT_SECONDS"] = "600"
# WhiteNoise warns if the folder of static files does not exist.
(Path(LOCAL_DIR.name) / "static").mkdir()
SERVERS = ExitStack()


def pytest_sessionstart(session: pytest.Session) -> None:
    from exports_project.embedded import servers
    from tests import installations

    # With xdist each test process has its own servers; the controller runs no tests.
    if not session.config.option.collectonly and not is_xdist_controller(session):
        installations.copy("migrated", Path(LOCAL_DIR.name), "postgres")
        # Commands in processes of their own use these servers, and start no others.
        SERVERS.enter_context(servers.lock(Path(LOCAL_DIR.name)))
        SERVERS.enter_context(servers.running(Path(LOCAL_DIR.name), durable=False))


@pytest.hookimpl(wrapper=True)
def pytest_unconfigure() -> Iterator[None]:
    try:
        yield
    finally:
        SERVERS.close()
        LOCAL_DIR.cleanup()
