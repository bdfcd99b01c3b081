"""The process table: every process of an installation, its queues, signals and health checks.

The settings (Celery's queues), `serve` (`make run`) and `health` (`/readyz`) read it. Tests compare
it with `deploy/systemd` and with the table of docs/operations.md, which
`python -m exports_project.processes` prints. The settings import this module, so it must not need
them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from signal import SIGQUIT, SIGTERM, Signals

from django.core.exceptions import ImproperlyConfigured
from kombu import Exchange, Queue

from longshore.api.periodic_tasks import MAINTENANCE_QUEUE

# The queue of tasks that name no queue, unless the project has queues of its own.
DEFAULT_QUEUE = MAINTENANCE_QUEUE
CELERY = ("celery", "--quiet", "-A", "exports_project")


@dataclass(frozen=True, kw_only=True)
class Process:
    """One process of an installation.

    name: in the output of `make run` and in the name of the systemd unit.
    purpose: a phrase for the documentation.
    program: a console script and its arguments, as production starts it.
    local_program: the same for `make run`, if it differs.
    stop_signal: ends the process in order.
    niceness: lowers its CPU priority.
    queues: the Celery queues that it serves, if it is a worker.
    health_check: the check of `/readyz` that fails while the process does not work.
    heartbeats: the names of the heartbeats that the check reads; all must be fresh. The check
        `recovery` reads those of the registered kinds of job instead.
    is_single: whether an installation runs exactly one.
    """

    name: str
    purpose: str
    program: tuple[str, ...]
    local_program: tuple[str, ...] | None = None
    stop_signal: Signals = SIGTERM
    niceness: int = 0
    queues: tuple[str, ...] = ()
    health_check: str | None = None
    heartbeats: tuple[str, ...] = ()
    is_single: bool = False

    @property
    def local(self) -> tuple[str, ...]:
        """The program of the process under `make run`."""
        return self.local_program or self.program


def worker(
    name: str,
    *queues: str,
    concurrency: int,
    purpose: str = "",
    local_concurrency: int | None = None,
    uses_threads: bool = False,
    health_check: str | None = None,
    heartbeats: tuple[str, ...] = (),
) -> Process:
    """Return a Celery worker.

    concurrency, local_concurrency: how many tasks it runs at a time, in production and under
        `make run`.
    uses_threads: for tasks that wait instead of computing. Threads cannot be interrupted, but such
        tasks end soon, so the worker is stopped by SIGTERM. A worker with processes returns
        unfinished tasks to the queue on SIGQUIT.
    """

    def program(processes: int) -> tuple[str, ...]:
        pool = ("--pool=threads",) if uses_threads else ()
        quiet = ("--without-gossip", "--without-mingle")
        worker_options = ("-n", f"{name}@%h", "-Q", ",".join(queues))
        return (*CELERY, "worker", *quiet, *worker_options, *pool, f"--concurrency={processes}")

    return Process(
        name=name,
        purpose=purpose,
        program=program(concurrency),
        local_program=program(local_concurrency or concurrency),
        stop_signal=SIGTERM if uses_threads else SIGQUIT,
        # Web requests get the CPU before tasks.
        niceness=5,
        queues=queues,
        health_check=health_check,
        heartbeats=heartbeats,
    )


def _table(*processes: Process) -> dict[str, Process]:
    return {process.name: process for process in processes}


PROCESSES = _table(
    Process(
        name="web",
        purpose="API and admin",
        program=("gunicorn", "-c", "python:exports_project.gunicorn"),
    ),
    worker(
        "quick",
        "quick",
        purpose="exports of fewer than `EXPORT_PARALLEL_ROWS` rows, batches of up to 2 MiB",
        concurrency=2,
        local_concurrency=1,
        health_check="worker_quick",
        heartbeats=("quick",),
    ),
    worker(
        "large",
        "large",
        purpose="all other exports and batches; helps `quick` while idle",
        concurrency=2,
        health_check="worker_large",
        heartbeats=("large",),
    ),
    worker(
        "webhooks",
        "webhooks",
        purpose="webhook deliveries",
        concurrency=32,
        uses_threads=True,
        health_check="worker_webhooks",
        heartbeats=("webhooks",),
    ),
    worker(
        DEFAULT_QUEUE,
        DEFAULT_QUEUE,
        purpose="recovery, expiry and deletion",
        concurrency=2,
        local_concurrency=1,
        health_check="recovery",
    ),
    Process(
        name="beat",
        purpose="schedule of the maintenance",
        program=(*CELERY, "beat", "--schedule", ""),
        health_check="recovery",
        is_single=True,
    ),
)
QUEUES = sorted({queue for process in PROCESSES.values() for queue in process.queues})


def with_project_queues(queues: Mapping[str, int]) -> dict[str, Process]:
    """Return the process table with a worker for each queue of the project's own tasks.

    queues: PROJECT_QUEUES.
    Raises ImproperlyConfigured if a name is that of a process or of a queue of Longshore.
    """
    if taken := sorted(set(queues) & {*PROCESSES, *QUEUES}):
        raise ImproperlyConfigured(
            f"PROJECT_QUEUES has the name {taken[0]!r}, which a process of Longshore has. "
            "Choose another name."
        )
    own = (
        worker(
            name,
            name,
            concurrency=concurrency,
            purpose="tasks of the project",
            health_check=f"worker_{name}",
            heartbeats=(name,),
        )
        for name, concurrency in queues.items()
    )
    return PROCESSES | _table(*own)


def worker_checks(queues: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    """Return the checks of workers in `/readyz`: the heartbeats that each reads."""
    return {
        process.health_check: process.heartbeats
        for process in with_project_queues(queues).values()
        if process.health_check and process.heartbeats
    }


def celery_queues(prefix: str, own: Iterable[str]) -> list[Queue]:
    """Return all queues: the broker knows them by the prefix and the name, all others by the name.

    prefix, own: QUEUE_PREFIX, the names in PROJECT_QUEUES.
    """
    return [
        Queue(f"{prefix}{name}", Exchange(f"{prefix}{name}"), routing_key=prefix + name, alias=name)
        for name in (*QUEUES, *own)
    ]


def as_markdown() -> str:
    """Return the table of docs/operations.md."""
    rows = [
        ("Process", "Purpose", "Command", "Number", "Stop signal", "Check of `/readyz`"),
        ("---",) * 6,
    ]
    for process in PROCESSES.values():
        command = " ".join(word or '""' for word in process.program)
        number = "1" if process.is_single else "1 or more"
        check = f"`{process.health_check}`" if process.health_check else ""
        signal = process.stop_signal.name
        rows.append((process.name, process.purpose, f"`{command}`", number, signal, check))
    return "".join(f"| {' | '.join(row)} |\n".replace("  ", " ") for row in rows)


if __name__ == "__main__":
    print(as_markdown(), end="")
