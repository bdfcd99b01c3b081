"""The programs of `make run` with demo data, and the clients that call them."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from exports_project.embedded import child_processes
from tests import installations
from tests.recovery.services import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent
START_SECONDS = 600
CALL_SECONDS = 300
# Short, so that a test need not wait long until a link expires.
LINK_SECONDS = 3
CONTACTS = {"resource": "contact", "options": {"order_by": "created_at"}}


@dataclass(frozen=True)
class Stack:
    port: int
    api_key: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **parameters: str) -> Any:
        headers = {"PX-API-KEY": self.api_key}
        response = httpx.get(f"{self.url}{path}", params=parameters, headers=headers, timeout=60)
        return response.raise_for_status().json()


@contextmanager
def running(**variables: str) -> Iterator[Stack]:
    """Run all programs until the end of the block. variables: further ones of the environment."""
    with TemporaryDirectory(prefix="longshore-") as name:
        folder = Path(name).resolve()
        installations.copy("demo", folder)
        port = free_port()
        unset = re.findall(r"^#([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
        environment = {k: v for k, v in os.environ.items() if k not in unset} | {
            "ENV_FILE": os.devnull,
            "LOCAL_DIR": str(folder),
            "PORT": str(port),
            "API_RATE_LIMIT": "",
            "EXPORT_LINK_SECONDS": str(LINK_SECONDS),
            **variables,
        }
        log = folder / "output"
        with log.open("wb") as output:
            command = [sys.executable, "-m", "exports_project.serve"]
            process = child_processes.spawn(command, output=output, cwd=ROOT, env=environment)
        try:
            deadline = time.monotonic() + START_SECONDS
            while "Longshore is ready" not in (text := log.read_text()):
                assert process.poll() is None, text
                assert time.monotonic() < deadline, text
                time.sleep(0.1)
            yield Stack(port, json.loads((folder / "demo.json").read_text())["api_key"])
        finally:
            child_processes.stop(process)


def compile_typescript(folder: Path, *arguments: str) -> None:
    command = [shutil.which("node") or "node", "node_modules/typescript/bin/tsc", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=CALL_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr


def blocks(page: Path, language: str) -> list[str]:
    pattern = rf"^```{language}\n(.*?)^```"
    return re.findall(pattern, page.read_text(), re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class ClientUnderTest:
    """A client. command: runs its driver; readme: runs the code of its README."""

    command: Sequence[str]
    readme: Sequence[str]
    api_key: str
    url: str

    def answer(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Return `result` or `error` of a call."""
        command = [*self.command, self.url, self.api_key, name, json.dumps(arguments)]
        output: dict[str, Any] = json.loads(run(command))
        return output

    def __call__(self, name: str, **arguments: Any) -> Any:
        """Return the result of a call."""
        answer = self.answer(name, **arguments)
        assert "result" in answer, answer
        return answer["result"]


def run(command: Sequence[str], **options: Any) -> str:
    options = {"env": os.environ | {"PYTHONPATH": str(ROOT / "clients" / "python")}} | options
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=CALL_SECONDS, check=False, **options
    )
    assert done.returncode == 0, done.stderr
    # The progress is shown in terminals only.
    assert done.stderr == ""
    return done.stdout


def completed(stack: Stack, export_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + CALL_SECONDS
    while (export := stack.get(f"/v1/exports/{export_id}"))["status"] != "completed":
        assert time.monotonic() < deadline, export
        time.sleep(0.1)
    found: dict[str, Any] = export
    return found


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
