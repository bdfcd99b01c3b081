"""`make run`: starts the embedded servers and every process of the table, and supervises them."""

import http.client
import json
import os
import signal
import socket
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from exports_project import guide, locations, programs
from exports_project.embedded import child_processes, servers
from exports_project.supervisor import RestartLimitReached, Supervisor, reason

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exports_project.settings")
try:
    BASE_URL: str = settings.BASE_URL
    EMBEDDED_BROKER: bool = settings.EMBEDDED_BROKER
    EMBEDDED_DATABASE: bool = settings.EMBEDDED_DATABASE
    LOCAL_DIR: Path = settings.LOCAL_DIR
    PORT: int = settings.PORT
except ImproperlyConfigured as error:
    sys.exit(f"Longshore: {error}")

READY_SECONDS = 60
# Received signals. A handler must not raise: Python drops an exception that it raises in a fork.
SIGNALS: list[int] = []


class StartError(Exception):
    """Longshore cannot start or continue; the message gives the reason."""


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: SIGNALS.append(number))
    # A shell ignores SIGQUIT in background commands, and workers would inherit that.
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    # The project that runs, and Longshore, which need not be installed.
    sys.path[:0] = [str(locations.project_dir()), str(locations.LONGSHORE_DIR)]
    os.chdir(locations.project_dir())
    try:
        serve()
    except (StartError, RestartLimitReached, servers.ServerError) as error:
        sys.exit(f"Longshore: {error}")


def serve() -> None:
    check_port()
    with ExitStack() as stack:
        if not stack.enter_context(servers.lock(LOCAL_DIR)):
            raise StartError(
                f"{LOCAL_DIR} is in use: Longshore already runs here, or a manage.py command does."
            )
        if EMBEDDED_DATABASE or EMBEDDED_BROKER:
            say(f"Starting the embedded servers, data in {LOCAL_DIR} …")
        children = stack.enter_context(
            servers.running(LOCAL_DIR, database=EMBEDDED_DATABASE, broker=EMBEDDED_BROKER)
        )
        say("Loading the application …")
        programs.load()
        say("Preparing the database …")
        manage("migrate", "--verbosity=0")
        manage("collectstatic", "--no-input", "--verbosity=0")
        say("Starting web, workers and beat …")
        children |= stack.enter_context(programs.running())
        supervisor = Supervisor(children, say)
        await_web(supervisor)
        # Last, because scripts wait for demo.json.
        if EMBEDDED_DATABASE:
            manage("demo")
        print(summary(), flush=True)
        while True:
            pause()
            supervisor.watch()


def check_port() -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", PORT))
        except OSError as error:
            raise StartError(
                f"port {PORT} is not free ({error.strerror}). Choose another: PORT=8001 make run"
            ) from error


def manage(*arguments: str) -> None:
    """Run a `manage.py` command. Stop it if a signal arrives. Raises StartError if it fails."""
    process = programs.command(*arguments)
    try:
        while process.poll() is None:
            pause()
    finally:
        child_processes.stop(process)
    if process.returncode:
        raise StartError(f"manage.py {arguments[0]} failed ({reason(process.returncode)}).")


def pause() -> None:
    """Wait 0.1 s. Raises SystemExit after a signal, so that every block stops what it started."""
    time.sleep(0.1)
    if SIGNALS:
        say("Stopping …")
        raise SystemExit(0 if SIGNALS[0] == signal.SIGINT else 128 + SIGNALS[0])


def await_web(supervisor: Supervisor) -> None:
    """Wait until the web server responds. Raises StartError after READY_SECONDS."""
    deadline = time.monotonic() + READY_SECONDS
    while not web_runs():
        if time.monotonic() > deadline:
            raise StartError(
                f"/healthz on port {PORT} did not return 200 within {READY_SECONDS} seconds; "
                "see the log above."
            )
        pause()
        supervisor.watch()


def web_runs() -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def summary() -> str:
    lines = {"API": f"{BASE_URL}/v1", "API docs": f"{BASE_URL}/docs"}
    if guide.is_built():
        lines["Guide"] = f"{BASE_URL}/docs/guide/"
    lines["Admin"] = f"{BASE_URL}/admin/"
    if EMBEDDED_DATABASE:
        demo = json.loads((LOCAL_DIR / "demo.json").read_text())
        if "admin_username" in demo:
            lines["Sign in"] = f"{demo['admin_username']} / {demo['admin_password']}"
        lines["API key"] = demo["api_key"]
        lines["Data"] = f"{LOCAL_DIR} (demo.json holds the lines above)"
        header = f'--header "PX-API-KEY: {demo["api_key"]}"'
        lines["Next"] = f"in a second terminal: curl {BASE_URL}/v1/exports {header}"
    lines["Stop"] = "Ctrl-C"
    rows = "\n".join(f"  {name:<8} {value}" for name, value in lines.items())
    return f"\n  Longshore is ready.\n\n{rows}\n"


def say(message: str) -> None:
    print(message, flush=True)


if __name__ == "__main__":
    main()
