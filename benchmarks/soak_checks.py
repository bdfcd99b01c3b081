"""Checks at the end of a soak test: jobs, files and records agree; and those of other modules.

Import it after the environment of the stack is set: it imports the settings.
"""

import csv
import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet

from benchmarks.soak_clients import COLUMNS, Batch, Log
from benchmarks.soak_counters import check_counters
from benchmarks.soak_deliveries import check_deliveries, check_events
from tests.recovery.invariants import (
    BATCHES,
    EXPORTS,
    Kind,
    Verdict,
    abandoned_inputs,
    await_ends,
    judge_histories,
)
from tests.recovery.stack import Stack, wait_until

# Maximum time from the end of the run until everything has ended: a delivery that failed twice
# waits for half a minute, and a lost job for its recovery and two retries.
MAX_SECONDS = 180
_UNFINISHED = """
SELECT count(*) FROM (
 SELECT FROM exports_export WHERE status IN ('queued', 'processing')
 UNION ALL SELECT FROM batches_batch WHERE status IN ('requested', 'queued', 'processing')
 UNION ALL SELECT FROM webhooks_delivery WHERE status IN ('pending', 'sending')) AS unfinished"""
_SHIPMENTS = """
SELECT id, tracking_number FROM longshore_logistics_shipment
WHERE organization_id = %s ORDER BY id"""
_CREATED = "SELECT public_id FROM {jobs} WHERE organization_id = ANY(%s)"
_FAILURES = """
SELECT job.public_id, extract(epoch FROM event.created_at)::float8, event.reason
FROM {jobs} AS job JOIN {events} AS event ON event.{job_id} = job.number
WHERE job.status = 'failed' AND event.reason <> ''"""
_COUNTS = """
SELECT public_id, status, created_count, updated_count, unchanged_count, deleted_count,
 failed_count, undo_counts FROM batches_batch"""
_CONTACTS = """
SELECT notes, name, nickname FROM longshore_logistics_contact
WHERE organization_id = %s AND starts_with(notes, 'soak ') ORDER BY name"""
_TABLES = "SELECT relname FROM pg_class WHERE starts_with(relname, 'longshore_batch_')"


@dataclass(frozen=True)
class Failure:
    """The end of a failed attempt. at: time (epoch)."""

    job: str
    at: float
    reason: str


class Check:
    """The checks of one run.

    organizations: their ids.
    """

    def __init__(self, stack: Stack, log: Log, organizations: list[str]) -> None:
        self._stack = stack
        self._log = log
        self._organizations = organizations
        self._shipments = cache(lambda owner: stack.query(_SHIPMENTS, owner))
        self.exports, self.batches, self.other = Verdict(), Verdict(), Verdict()
        self.deliveries = self.received = self.abandoned_inputs = 0

    def await_end(self) -> None:
        """Wait until all jobs and deliveries have ended, for a limited time."""
        with suppress(TimeoutError):
            wait_until(lambda: self._stack.query(_UNFINISHED) == [(0,)], MAX_SECONDS)

    def run(self, received: Iterable[tuple[str, str]]) -> None:
        """Check everything. received: the path and the id of each received message."""
        self.exports = await_ends(self._stack, [*self._log.exports], check=self._check_file)
        ids = [public_id for batch in self._log.batches for public_id in batch.ids]
        judge_histories(self._stack, BATCHES, ids, self.batches)
        self._check_created(EXPORTS, [*self._log.exports], self.exports)
        self._check_created(BATCHES, ids, self.batches)
        self._check_records()
        check_events(self._stack, self._organizations, self.other)
        messages = [*received]
        self.received = len(messages)
        self.deliveries = check_deliveries(self._stack, self._organizations, messages, self.other)
        check_counters(self._stack, self._organizations, self.other)
        self.other.wrong += [f"table {name} is left" for (name,) in self._stack.query(_TABLES)]
        self.abandoned_inputs = len(abandoned_inputs(self._stack))
        self.other.lost += self._log.unanswered
        self.other.wrong += self._log.refused

    def failures(self) -> list[Failure]:
        """Return the failed attempts of failed jobs."""
        rows = [
            row for kind in (EXPORTS, BATCHES) for row in self._stack.query(kind.fill(_FAILURES))
        ]
        return [Failure(*row) for row in rows]

    def _check_created(self, kind: Kind, ids: list[str], verdict: Verdict) -> None:
        """A creation that was repeated has created one job."""
        rows = self._stack.query(kind.fill(_CREATED), self._organizations)
        found = {public_id for (public_id,) in rows}
        verdict.duplicated += [
            f"{public_id} is in no response" for public_id in sorted(found - set(ids))
        ]
        verdict.duplicated += [
            f"{public_id} is in the responses to {times} creations"
            for public_id, times in Counter(ids).items()
            if times > 1
        ]

    # Files of exports

    def _check_file(self, verdict: Verdict, owner: str, path: Path, rows: int) -> None:
        request = self._log.exports[owner]
        limit = request.get("options", {}).get("limit")
        expected = self._shipments(request["organization"])[:limit]
        records = sorted(_read(path, request["format"]))
        if len(records) != rows:
            verdict.lost.append(f"{owner} has {len(records)} rows, but {rows} are stored")
        if len(set(records)) < len(records):
            verdict.duplicated.append(f"{owner} has records twice")
        elif records != sorted(expected):
            verdict.lost.append(
                f"{owner} has {len(records)} rows of {len(expected)}, or other values"
            )

    # Records of batches

    def _check_records(self) -> None:
        counts = {row[0]: row[1:] for row in self._stack.query(_COUNTS)}
        found: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for organization in self._organizations:
            for notes, name, nickname in self._stack.query(_CONTACTS, organization):
                found[notes].append((name, nickname))
        # `judge_histories` has reported batches that do not exist.
        for batch in (each for each in self._log.batches if counts.keys() >= {*each.ids}):
            if all(counts[public_id][0] == "completed" for public_id in batch.ids):
                self._check_counts(batch, counts)
                self._compare(batch, found.pop(batch.marker, []))
            else:
                # A failed batch has written whole chunks, which its counts include.
                self._check_failed(batch, counts, found.pop(batch.marker, []))
        self.batches.wrong += [f"{len(rows)} records of no batch" for rows in found.values()]

    def _compare(self, batch: Batch, found: list[tuple[str, str]]) -> None:
        is_new = batch.update and not batch.undo_of_update
        changed = batch.rows // 2 if is_new else 0
        expected = [
            (name, "new" if number < changed else "old")
            for number, name in enumerate(batch.names())
        ]
        if batch.undo:
            expected = []
        missing = Counter(expected) - Counter(found)
        additional = Counter(found) - Counter(expected)
        if missing:
            number = missing.total()
            self.batches.lost.append(f"{batch}: {number} records are missing or have other values")
        if additional:
            number = additional.total()
            self.batches.duplicated.append(f"{batch}: {number} records more than in the file")

    def _check_counts(self, batch: Batch, counts: dict[str, tuple[Any, ...]]) -> None:
        changed = batch.rows // 2
        expected = {
            batch.id: (batch.rows, 0, 0, 0, 0, None),
            batch.update: (0, changed, 0, 0, 0, None),
        }
        for public_id, rows in ((batch.undo, batch.rows), (batch.undo_of_update, changed)):
            undone = counts.get(public_id, (None,) * 7)[6]
            if public_id and (undone or {}).get("reversed") != rows:
                self.batches.wrong.append(f"{public_id}: {undone}, {rows} rows to undo")
        for public_id, numbers in expected.items():
            if public_id and counts[public_id][1:] != numbers:
                self.batches.wrong.append(
                    f"{public_id}: the counts are {counts[public_id][1:]}, not {numbers}"
                )

    def _check_failed(
        self, batch: Batch, counts: dict[str, tuple[Any, ...]], found: list[tuple[str, str]]
    ) -> None:
        if len(set(found)) < len(found):
            self.batches.duplicated.append(f"{batch} has records twice")
        if not batch.undo and len(found) != counts[batch.id][1]:
            self.batches.wrong.append(
                f"{batch}: {len(found)} records, but {counts[batch.id][1]} are counted"
            )


def _read(path: Path, file_format: str) -> list[tuple[str, str]]:
    """Return the columns of each record of a file."""
    if file_format == "parquet":
        table = pyarrow.parquet.read_table(path)
        return list(zip(*(table[name].to_pylist() for name in COLUMNS), strict=True))
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        rows: Iterable[dict[str, Any]] = (
            csv.DictReader(lines) if file_format == "csv" else map(json.loads, lines)
        )
        return [tuple(row[name] for name in COLUMNS) for row in rows]
