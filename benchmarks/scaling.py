"""Measures how the speed of one large export grows with the number of machines.

    python -m benchmarks.scaling [--rows 3000000] [--cores 0.25] [--repeat 3] [--s3 localbucket]

Each machine is a network namespace with one worker process, limited by a control group; PostgreSQL
and the S3 server are not limited. `--cores` may have several values. It ends with a reason where
the system forbids either (Linux and root only). `--s3` is the command of a fast S3 server, such as
`localbucket` from PyPI, installed in an environment of its own; without it, the slower server of
moto is used. Prints tables in Markdown.
"""

import argparse
import gzip
import hashlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psutil

from benchmarks.data import ORGANIZATION, fill, servers
from benchmarks.machines import HOST, NETWORK, Machine, Unsupported, machines, network
from benchmarks.measuring import machine

if TYPE_CHECKING:
    from exports.models import Export

WORKERS = (1, 2, 4)
BUCKET = "exports"
_S3_PORT = 9199
_START_SECONDS = 120
_WARMING_ROWS = 20_000
# Share of the rows after which a worker is killed.
_KILL_AT = 0.4


@contextmanager
def bucket(command: str | None) -> Iterator[None]:
    """Run an S3 server with an empty bucket, and make it the storage of all processes."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    with tempfile.TemporaryDirectory(prefix="longshore-s3-") as folder:
        moto = [sys.executable, "-m", "moto.server", "--host", HOST, "--port", str(_S3_PORT)]
        fast = [command or "", "--host", HOST, "--port", str(_S3_PORT), folder]
        process = subprocess.Popen(
            fast if command else moto, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        endpoint = f"http://{HOST}:{_S3_PORT}"
        os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
        try:
            deadline = time.monotonic() + _START_SECONDS
            while True:
                try:
                    client.create_bucket(Bucket=BUCKET)
                    break
                except (BotoCoreError, ClientError):
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.2)
            os.environ |= {
                "AWS_S3_ENDPOINT_URL": endpoint,
                "AWS_S3_REGION_NAME": "us-east-1",
            }
            yield
        finally:
            process.terminate()
            process.wait(30)


def admit_machines() -> None:
    """Let PostgreSQL accept the connections of the machines, without a password."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SHOW hba_file")
        [path] = cursor.fetchone()
        with open(path, "a") as file:
            file.write(f"host all all {NETWORK} trust\n")
        cursor.execute("SELECT pg_reload_conf()")


@contextmanager
def workers(hosts: list[Machine]) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Run one worker with one slot on each machine; yield their processes by name."""
    from django.conf import settings

    from exports.lifecycle.transitions import EXPORTS
    from exports.models import Lane
    from exports_project import embedded
    from exports_project.processes import worker
    from longshore.cache import cache
    from longshore.jobs import heartbeats

    cache.clear()
    database = embedded.DATABASE
    environment = os.environ | {
        "DATABASE_URL": f"postgres://{database}@{HOST}/{database}",
        "SECRET_KEY": settings.SECRET_KEY,
        "AWS_STORAGE_BUCKET_NAME": BUCKET,
        "LOG_LEVEL": "WARNING",
    }
    started: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for host in hosts:
            command = [sys.executable, "-m", *worker(host.name, "large", concurrency=1).program]
            started[host.name] = subprocess.Popen(
                host.command(command), env=environment, start_new_session=True
            )
        deadline = time.monotonic() + _START_SECONDS
        while heartbeats.slots(EXPORTS, Lane.LARGE) < len(hosts):
            if time.monotonic() > deadline:
                raise SystemExit("The workers did not start.")
            time.sleep(0.2)
        yield started
    finally:
        for process in started.values():
            kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Send SIGKILL to a worker and its children."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def limit(host: Machine, process: subprocess.Popen[bytes], cores: float) -> None:
    main = psutil.Process(process.pid)
    host.limit(cores, [main.pid, *(each.pid for each in main.children(recursive=True))])


def begin(limit: int | None = None) -> "Export":
    """Create an export of all rows, or of some, and its message."""
    from exports.lifecycle.creation import create
    from exports.request.parser import parse_export
    from longshore.accounts.models import Organization

    body: dict[str, Any] = {"resource": "shipment", "compression": "gzip"}
    if limit:
        body["options"] = {"limit": limit}
    organization = Organization.objects.get(slug=ORGANIZATION)
    export, _ = create(organization, None, body, parse_export(body))
    return export


def finish(export: "Export") -> float:
    """Wait until an export is completed; return the seconds since its claim."""
    while export.status in ("queued", "processing"):
        time.sleep(0.1)
        export.refresh_from_db()
    is_complete = export.status == "completed" and len(export.claims) == 1
    if not (is_complete and export.started_at and export.completed_at):
        raise SystemExit(f"The export is {export.status} after {len(export.claims)} attempts.")
    return (export.completed_at - export.started_at).total_seconds()


def content(export: "Export") -> tuple[str, int]:
    """Return the hash of the uncompressed file, and the size of the compressed one."""
    import boto3

    client = boto3.client(
        "s3", endpoint_url=os.environ["AWS_S3_ENDPOINT_URL"], region_name="us-east-1"
    )
    file = export.files.get()
    body = client.get_object(Bucket=BUCKET, Key=file.storage_key)["Body"]
    digest = hashlib.sha256()
    with gzip.open(body) as text:
        while block := text.read(1 << 20):
            digest.update(block)
    return digest.hexdigest(), file.bytes


def run(number: int, cores: float, *, is_killed: bool = False) -> tuple[float, str, int]:
    """Return the seconds of an export by some workers, and `content` of its file.

    is_killed: kill one of the workers that do not run the export, in its middle.
    """
    with machines(number) as hosts, workers(hosts) as processes:
        # Not counted: the first exports of processes import modules.
        for export in [begin(limit=_WARMING_ROWS) for _ in hosts]:
            finish(export)
        for host in hosts:
            limit(host, processes[host.name], cores)
        export = begin()
        if is_killed:
            kill(processes[helper(export)])
        seconds = finish(export)
    return (seconds, *content(export))


def helper(export: "Export") -> str:
    """Wait for the middle of an export; return the name of a worker that reads a partition."""
    from celery import current_app

    while export.processed_count < _KILL_AT * (export.records_count or 1):
        time.sleep(0.2)
        export.refresh_from_db()
    while True:
        active = current_app.control.inspect(timeout=5).active() or {}
        for name, tasks in active.items():
            if any(task["name"] == "exports.read_partition" for task in tasks):
                return str(name.partition("@")[0])


def compare(rows: int, cores: float, repeat: int) -> None:
    found: dict[int, list[float]] = {number: [] for number in WORKERS}
    killed: list[float] = []
    files: set[str] = set()
    for _ in range(repeat):
        for number in WORKERS:
            seconds, text, size = run(number, cores)
            files.add(text)
            found[number].append(seconds)
            print(f"{number} workers: {seconds:.1f} s, {size:,} bytes", file=sys.stderr)
        seconds, text, _ = run(WORKERS[-1], cores, is_killed=True)
        files.add(text)
        killed.append(seconds)
        print(f"{WORKERS[-1]} workers, one killed: {seconds:.1f} s", file=sys.stderr)
    print(f"\n{rows:,} shipments, CSV with gzip, {cores} cores for each worker:\n")
    print("| workers | seconds | rows/s | speed, for each round |")
    print("|--:|--:|--:|--:|")
    for number in WORKERS:
        pairs = zip(found[WORKERS[0]], found[number], strict=True)
        ratios = ", ".join(f"{one / several:.2f} x" for one, several in pairs)
        median = statistics.median(found[number])
        print(f"| {number} | {median:.1f} | {rows / median:,.0f} | {ratios} |")
    pairs = zip(killed, found[WORKERS[-1]], strict=True)
    costs = ", ".join(f"{with_death - without:.1f} s" for with_death, without in pairs)
    print(f"\nSIGKILL of one of {WORKERS[-1]} workers costs: {costs}.")
    print(f"Different uncompressed files: {len(files)}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--cores", type=float, nargs="+", default=[0.25])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--s3")
    options = parser.parse_args()
    from exports_project.embedded import servers as embedded_servers

    embedded_servers.POSTGRES_OPTIONS["listen_addresses"] = HOST
    print(f"\n{machine()}")
    try:
        with network(), machines(1):
            pass
        with network(), bucket(options.s3), servers():
            admit_machines()
            fill(options.rows)
            for cores in options.cores:
                compare(options.rows, cores, options.repeat)
    except Unsupported as error:
        raise SystemExit(f"Skipped: {error}") from error


if __name__ == "__main__":
    main()
