"""Invariants of exports, and of the history of every kind of job, that faults must not violate."""

import gzip
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from pathlib import Path

from tests.recovery.stack import Stack, wait_until

# Maximum time from the last fault until every export has ended, also on a busy machine.
MAX_RECOVERY_SECONDS = 120
# Maximum time until the files of failed attempts are deleted.
MAX_SWEEP_SECONDS = 15


@dataclass(frozen=True)
class Kind:
    """A kind of job.

    name: in counters and in the types of events.
    jobs, events, job_id: its tables, and the foreign key between them.
    beginning: regular expression of the statuses before the first attempt.
    """

    name: str
    jobs: str
    events: str
    job_id: str
    beginning: str

    @property
    def history(self) -> str:
        """Regular expression of a correct history of statuses."""
        # At most two attempts that were requeued, then a final one.
        return f"{self.beginning}(processing,queued,){{0,2}}processing,(completed|failed)"

    def fill(self, statement: str) -> str:
        """Return a statement with the names of the tables."""
        return statement.format(jobs=self.jobs, events=self.events, job_id=self.job_id)


EXPORTS = Kind("export", "exports_export", "exports_exportevent", "export_id", "queued,")
# A request that executes its batch itself does not queue it.
BATCHES = Kind(
    "batch", "batches_batch", "batches_batchevent", "batch_id", "((requested,)?queued,)?"
)
_JOBS = """
SELECT job.public_id, job.status, job.error->>'message',
       extract(epoch FROM job.completed_at),
       array(SELECT status FROM {events} WHERE {job_id} = number ORDER BY id),
       array(SELECT attempt FROM {events} WHERE {job_id} = number ORDER BY id)
FROM {jobs} AS job WHERE job.public_id = ANY(%s)"""
_FILES = """
SELECT export.public_id, export.status, file.storage_key, file.rows, file.bytes, file.sha256
FROM exports_exportfile AS file JOIN exports_export AS export ON export_id = export.number
WHERE export.public_id = ANY(%s)"""
_BATCH_KEYS = """
SELECT storage_key FROM batches_batchfile
UNION SELECT input_key FROM batches_batch WHERE input_key IS NOT NULL"""
_FINAL = """
SELECT count(*) FROM exports_export
WHERE public_id = ANY(%s) AND status NOT IN ('queued', 'processing')"""


@dataclass
class Verdict:
    """The outcome of jobs.

    lost: jobs that do not exist, or that completed without a correct result.
    stuck: jobs that did not end.
    duplicated: jobs with more than one end, file or copy of a record.
    wrong: other violations.
    attempts: number of attempts of each job.
    """

    completed: int = 0
    failed: int = 0
    lost: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    last_end: float = 0.0
    attempts: list[int] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not self.problems

    @property
    def problems(self) -> list[str]:
        return self.lost + self.stuck + self.duplicated + self.wrong


ContentCheck = Callable[[Verdict, str, Path, int], None]


def await_ends(
    stack: Stack,
    ids: list[str],
    seconds: float = MAX_RECOVERY_SECONDS,
    check: ContentCheck | None = None,
) -> Verdict:
    """Wait until all exports have ended and stray files are deleted; then judge them.

    check: as for `judge`.
    """
    try:
        wait_until(lambda: stack.query(_FINAL, ids) == [(len(ids),)], seconds)
        wait_until(lambda: not strays(stack), MAX_SWEEP_SECONDS)
    except TimeoutError:
        pass  # The verdict reports what is missing.
    return judge(stack, ids, check)


def judge(stack: Stack, ids: list[str], check: ContentCheck | None = None) -> Verdict:
    """Check statuses, event histories, attempts and files of exports.

    check: called with the verdict, the id of an export, the path of its file and the stored number
        of rows; adds the violations of the content. By default, the file must have all rows.
    """
    verdict = Verdict()
    judge_histories(stack, EXPORTS, ids, verdict)
    _judge_files(stack, ids, verdict, check or partial(_check_rows, stack.rows))
    verdict.wrong += [f"{key} belongs to no export" for key in strays(stack)]
    verdict.wrong += [f"{name} ended by itself" for name in stack.died()]
    return verdict


def judge_histories(stack: Stack, kind: Kind, ids: list[str], verdict: Verdict) -> None:
    """Check statuses, event histories and attempts of jobs."""
    found = {row[0]: row[1:] for row in stack.query(kind.fill(_JOBS), ids)}
    verdict.lost += [f"{public_id} does not exist" for public_id in ids if public_id not in found]
    for public_id, (status, message, ended, statuses, attempts) in found.items():
        verdict.completed += status == "completed"
        verdict.failed += status == "failed"
        verdict.last_end = max(verdict.last_end, float(ended or 0))
        verdict.attempts.append(max(attempts))
        if status not in ("completed", "failed"):
            verdict.stuck.append(f"{public_id} is {status}")
        elif sum(each in ("completed", "failed") for each in statuses) > 1:
            verdict.duplicated.append(f"{public_id} ended twice: {statuses}")
        elif not re.fullmatch(kind.history, ",".join(statuses)) or statuses[-1] != status:
            verdict.wrong.append(f"{public_id} is {status} after {statuses}")
        elif attempts != [*accumulate(each == "processing" for each in statuses)]:
            verdict.wrong.append(f"{public_id} counts its attempts as {attempts}")
        if status == "failed" and not message:
            verdict.wrong.append(f"{public_id} failed without a reason")


def _judge_files(stack: Stack, ids: list[str], verdict: Verdict, check: ContentCheck) -> None:
    files = stack.query(_FILES, ids)
    owners = [row[0] for row in files]
    verdict.duplicated += [
        f"{owner} has two files" for owner in set(owners) if owners.count(owner) > 1
    ]
    if len(set(owners)) < verdict.completed:
        verdict.lost.append(f"{verdict.completed} completed, but {len(set(owners))} have files")
    for owner, status, key, rows, size, sha256 in files:
        path = stack.storage / key
        content = path.read_bytes() if path.exists() else b""
        if status != "completed":
            verdict.wrong.append(f"{owner} is {status} and has a file")
        elif len(content) != size or hashlib.sha256(content).hexdigest() != sha256:
            verdict.lost.append(
                f"{owner}: the content of {key} differs from the stored size or hash"
            )
        else:
            check(verdict, owner, path, rows)
        manifest = path.parent / "manifest.json"
        described = json.loads(manifest.read_bytes()) if manifest.exists() else {"files": []}
        if [each["sha256"] for each in described["files"]] != [sha256]:
            verdict.wrong.append(f"{owner}: its manifest is missing or lists other files")


def _check_rows(expected: int, verdict: Verdict, owner: str, path: Path, rows: int) -> None:
    with gzip.open(path) as lines:
        # Each line starts with the id of its record.
        records = [line[:40] for line in lines]
    if not rows == len(records) == expected:
        verdict.lost.append(f"{owner} has {len(records)} rows of {expected}")
    if len(set(records)) < len(records):
        verdict.duplicated.append(f"{owner} has records twice")


def strays(stack: Stack) -> list[str]:
    """Return the files in the storage that belong to no completed export and to no batch."""
    exported = {key for (key,) in stack.query("SELECT storage_key FROM exports_exportfile")}
    known = exported | {f"{key.rpartition('/')[0]}/manifest.json" for key in exported}
    known |= {key for (key,) in stack.query(_BATCH_KEYS)} | abandoned_inputs(stack)
    paths = [path for path in stack.storage.rglob("*") if path.is_file()]
    return sorted({str(path.relative_to(stack.storage)) for path in paths} - known)


def abandoned_inputs(stack: Stack) -> set[str]:
    """Return the inputs whose request ended, or still runs, without a batch.

    The daily purge deletes them, so they do not count as strays.
    """
    batches = {public_id for (public_id,) in stack.query("SELECT public_id FROM batches_batch")}
    paths = stack.storage.glob("batches/*/*/input_*/data")
    inputs = [path for path in paths if path.parent.parent.name not in batches]
    return {str(path.relative_to(stack.storage)) for path in inputs}
