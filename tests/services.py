"""Pytest plugin: the whole suite runs on embedded servers of its own, whatever else is set.

Loaded by `-p tests.services`, before anything reads the settings.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from xdist import is_xdist_controller

# Short: a UNIX socket's path holds about a hundred bytes.
LOCAL_DIR = tempfile.TemporaryDirectory(prefix="longshore-")
# Whatever settings read has its default, but for where things are.
EXAMPLE = Path(__file__).parent.parent / ".env.example"
for name in re.findall(r"^#([A-Z0-9_]+)=", EXAMPLE.read_text(), re.MULTILINE):
    os.environ.pop(name, None)
os.environ |= {"LOCAL_DIR": LOCAL_DIR.name, "ENV_FILE": os.devnull}
# All tests ask from one address, and many are denied.
os.environ["API_DENIED_RATE_LIMIT"] = ""
# WhiteNoise looks for collected static files, if only to find none.
(Path(LOCAL_DIR.name) / "static").mkdir()
SERVERS = ExitStack()


def pytest_sessionstart(session: pytest.Session) -> None:
    from exports_project.embedded import servers

    # With several processes, each that runs tests has servers of its own.
    if not session.config.option.collectonly and not is_xdist_controller(session):
        SERVERS.enter_context(servers.running(Path(LOCAL_DIR.name), durable=False))


@pytest.hookimpl(wrapper=True)
def pytest_unconfigure() -> Iterator[None]:
    try:
        yield
    finally:
        SERVERS.close()
        LOCAL_DIR.cleanup()
