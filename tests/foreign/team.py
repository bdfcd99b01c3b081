"""A team's project and the commands that it uses, as processes of their own."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from exports_project.embedded import child_processes
from tests.recovery.services import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
PROJECT = Path(__file__).resolve().parent / "project"
# Long enough for a busy machine: the first start runs all migrations.
START_SECONDS = 600
_EXAMPLE = ROOT / ".env.example"


class Team:
    """A copy of the project in a folder of its own.

    settings: the name of its settings module.
    python: the interpreter that runs it.
    """

    def __init__(self, folder: Path, settings: str, *, python: str = sys.executable) -> None:
        self.folder = folder
        self.port = free_port()
        self._python = python
        unset = re.findall(r"^#([A-Z0-9_]+)=", _EXAMPLE.read_text(), re.MULTILINE)
        self.environment = {
            k: v for k, v in os.environ.items() if k not in {*unset, "ENV_FILE"}
        } | {
            "DJANGO_SETTINGS_MODULE": settings,
            "PORT": str(self.port),
            "API_RATE_LIMIT": "",
            "PYTHONPATH": str(ROOT),
        }

    def command(self, *arguments: str) -> str:
        """Run a command of `python -m exports_project` in the folder; return its output."""
        process = subprocess.run(
            [self._python, "-W", "ignore", "-m", "exports_project", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
        )
        assert process.returncode == 0, process.stdout + process.stderr
        return process.stdout

    @contextmanager
    def running(self) -> Iterator["Team"]:
        """Run web, workers and beat on embedded servers until the end of the block."""
        log = self.folder / "log"
        with log.open("wb") as output:
            process = child_processes.spawn(
                [self._python, "-m", "exports_project.serve"],
                output=output,
                cwd=self.folder,
                env=self.environment,
            )
        try:
            deadline = time.monotonic() + START_SECONDS
            while "Longshore is ready" not in (text := log.read_text()):
                assert process.poll() is None, text
                assert time.monotonic() < deadline, text
                time.sleep(0.2)
            yield self
        finally:
            child_processes.stop(process)

    @property
    def demo(self) -> dict[str, str]:
        """The credentials that the start has written."""
        found: dict[str, str] = json.loads((self.folder / ".local/demo.json").read_text())
        return found

    def send(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Send a request to the API."""
        return httpx.request(
            method,
            f"http://127.0.0.1:{self.port}{path}",
            json=body,
            headers={"PX-API-KEY": self.demo["api_key"]},
            timeout=60,
        )

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request to the API; return its JSON. The response must be a success."""
        response = self.send(method, path, body)
        assert response.is_success, response.text
        return response.json()

    def complete(self, path: str) -> Any:
        """Wait until a job is completed; return it."""
        deadline = time.monotonic() + START_SECONDS
        while (job := self.request("GET", path))["status"] in ("queued", "processing"):
            assert time.monotonic() < deadline, job
            time.sleep(0.1)
        assert job["status"] == "completed", job
        return job

    def download(self, body: dict[str, Any]) -> bytes:
        """Export by the API, and return the file."""
        export = self.complete(f"/v1/exports/{self.request('POST', '/v1/exports', body)['id']}")
        return httpx.get(export["download_url"], timeout=60).content

    def upload(self, resource: str, name: str, content: bytes) -> Any:
        """Import a file by the API; return the completed batch."""
        response = httpx.post(
            f"http://127.0.0.1:{self.port}/v1/batches",
            data={"request": json.dumps({"resource": resource})},
            files={"file": (name, content)},
            headers={"PX-API-KEY": self.demo["api_key"]},
            timeout=60,
        )
        assert response.is_success, response.text
        return self.complete(f"/v1/batches/{response.json()['id']}")


def copy_project(folder: Path) -> None:
    shutil.copytree(
        PROJECT, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
    )
