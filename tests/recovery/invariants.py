"""Invariants of exports that faults must not violate."""

import gzip
import hashlib
import json
import re
from dataclasses import dataclass, field

from tests.recovery.stack import Stack, wait_until

# Maximum time from the last fault until every export has ended, also on a busy machine.
MAX_RECOVERY_SECONDS = 120
# Maximum time until the files of failed attempts are deleted.
MAX_SWEEP_SECONDS = 15
# At most two attempts that were requeued, then a final one.
HISTORY = re.compile(r"queued(,processing,queued){0,2},processing,(completed|failed)")
_EXPORTS = """
SELECT export.public_id, export.status, export.error->>'message',
       extract(epoch FROM export.completed_at),
       array(SELECT status FROM exports_exportevent WHERE export_id = number ORDER BY id),
       array(SELECT attempt FROM exports_exportevent WHERE export_id = number ORDER BY id)
FROM exports_export AS export WHERE export.public_id = ANY(%s)"""
_FILES = """
SELECT export.public_id, export.status, file.storage_key, file.rows, file.bytes, file.sha256
FROM exports_exportfile AS file JOIN exports_export AS export ON export_id = export.number
WHERE export.public_id = ANY(%s)"""
_FINAL = """
SELECT count(*) FROM exports_export
WHERE public_id = ANY(%s) AND status NOT IN ('queued', 'processing')"""


@dataclass
class Verdict:
    """The outcome of exports.

    lost: exports that did not end, or that completed without a correct file.
    duplicated: exports with more than one end, file or copy of a record.
    wrong: other violations.
    attempts: number of attempts of each export.
    """

    completed: int = 0
    failed: int = 0
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    last_end: float = 0.0
    attempts: list[int] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not (self.lost or self.duplicated or self.wrong)


def await_ends(stack: Stack, ids: list[str], seconds: float = MAX_RECOVERY_SECONDS) -> Verdict:
    """Wait until all exports have ended and stray files are deleted; then judge them."""
    try:
        wait_until(lambda: stack.query(_FINAL, ids) == [(len(ids),)], seconds)
        wait_until(lambda: not strays(stack), MAX_SWEEP_SECONDS)
    except TimeoutError:
        pass  # The verdict reports what is missing.
    return judge(stack, ids)


def judge(stack: Stack, ids: list[str]) -> Verdict:
    """Check statuses, event histories, attempts and files of exports."""
    verdict = Verdict()
    found = {row[0]: row[1:] for row in stack.query(_EXPORTS, ids)}
    verdict.lost += [f"{public_id} does not exist" for public_id in ids if public_id not in found]
    for public_id, (status, message, ended, statuses, attempts) in found.items():
        verdict.completed += status == "completed"
        verdict.failed += status == "failed"
        verdict.last_end = max(verdict.last_end, float(ended or 0))
        verdict.attempts.append(max(attempts))
        if status not in ("completed", "failed"):
            verdict.lost.append(f"{public_id} is {status}")
        elif sum(each in ("completed", "failed") for each in statuses) > 1:
            verdict.duplicated.append(f"{public_id} ended twice: {statuses}")
        elif not HISTORY.fullmatch(",".join(statuses)) or statuses[-1] != status:
            verdict.wrong.append(f"{public_id} is {status} after {statuses}")
        elif attempts != [0, *(n // 2 + 1 for n in range(len(attempts) - 1))]:
            verdict.wrong.append(f"{public_id} counts its attempts as {attempts}")
        if status == "failed" and not message:
            verdict.wrong.append(f"{public_id} failed without a reason")
    _judge_files(stack, ids, verdict)
    verdict.wrong += [f"{key} belongs to no export" for key in strays(stack)]
    verdict.wrong += [f"{name} ended by itself" for name in stack.died()]
    return verdict


def _judge_files(stack: Stack, ids: list[str], verdict: Verdict) -> None:
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
            with gzip.open(path) as lines:
                # Each line starts with the id of its record.
                records = [line[:40] for line in lines]
            if not rows == len(records) == stack.rows:
                verdict.lost.append(f"{owner} has {len(records)} rows of {stack.rows}")
            if len(set(records)) < len(records):
                verdict.duplicated.append(f"{owner} has records twice")
        described = json.loads((path.parent / "manifest.json").read_bytes())
        if [each["sha256"] for each in described["files"]] != [sha256]:
            verdict.wrong.append(f"{owner}: its manifest lists other files")


def strays(stack: Stack) -> list[str]:
    """Return the files in the storage that belong to no completed export."""
    keys = {key for (key,) in stack.query("SELECT storage_key FROM exports_exportfile")}
    known = keys | {f"{key.rpartition('/')[0]}/manifest.json" for key in keys}
    paths = [path for path in stack.storage.rglob("*") if path.is_file()]
    return sorted({str(path.relative_to(stack.storage)) for path in paths} - known)
