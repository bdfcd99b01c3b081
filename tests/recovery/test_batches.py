"""Workers that are killed while they execute a batch, in every phase."""

import json
import random
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from exports_project import embedded
from exports_project.embedded import servers
from tests.recovery.stack import Stack, wait_until

pytestmark = pytest.mark.stack

PHASES = ("parsing", "validation", "processing", "cleanup", "files")
SEED = 14
KILLS = 40
# A kill may come after the end of its batch.
MAX_BATCHES = 16
# Seconds from the beginning of a phase to a kill.
MAX_PAUSES = {"parsing": 0.1, "validation": 0.1, "processing": 0.4, "cleanup": 0.1, "files": 0.2}
# One kill in this many ends the whole worker, the others the process that executes the batch.
WORKER_KILLS = 10
# Of the records that exist, by what the batch does with them; and those that it creates.
UPDATED, UNCHANGED, DELETED, CREATED = 350, 200, 450, 350
EXISTING = UPDATED + UNCHANGED + DELETED
ROWS = UPDATED + UNCHANGED + CREATED
_EXISTING_ROWS = """
INSERT INTO longshore_logistics_contact
(id, organization_id, name, notes, is_primary, alternate_names, alternate_emails, alternate_phones,
 alternate_addresses, metadata, created_at, updated_at)
SELECT 'ctct_' || lpad(n::text, 22, '0'), %(organization)s, 'Old ' || n, repeat('x', 100),
 false, '{}', '{}', '{}', '[]', '{}', '2020-01-01', '2020-01-01'
FROM generate_series(1, %(number)s) AS n"""
_LINKS = """
INSERT INTO longshore_logistics_contactgroup (contact_id, group_id)
SELECT id, 'grp_old' FROM longshore_logistics_contact"""
_GROUPS = """
INSERT INTO longshore_logistics_group (id, organization_id, name, resource, metadata, created_at,
 updated_at)
SELECT 'grp_' || lower(name), %(organization)s, name, 'contact', '{}', now(), now()
FROM unnest('{Old,New}'::text[]) AS name"""
# Each written record takes half a millisecond.
_SLOW = """
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN PERFORM pg_sleep(0.0005); RETURN coalesce(NEW, OLD); END';
CREATE TRIGGER slow BEFORE INSERT OR UPDATE OR DELETE ON longshore_logistics_contact
FOR EACH ROW EXECUTE FUNCTION slow()"""
_RECORDS = """
SELECT to_jsonb(contact) - 'search_text', array(SELECT group_id FROM
 longshore_logistics_contactgroup WHERE contact_id = contact.id ORDER BY group_id)
FROM longshore_logistics_contact AS contact ORDER BY id"""
_STATE = """
SELECT status, claims, organization_id,
 to_regclass('longshore_batch_' || claims[cardinality(claims)] || '_input') IS NOT NULL,
 to_regclass('longshore_batch_' || claims[cardinality(claims)] || '_plan') IS NOT NULL,
 (SELECT coalesce(sum(cardinality(rows)), 0)::int FROM batches_journalentry
  WHERE batch_id = batch.number AND "table" = 'longshore_logistics_contact')
FROM batches_batch AS batch WHERE public_id = %s"""
# Recovery need not wait until the killed attempt is silent for long enough.
_SILENCE = """
UPDATE batches_batch SET heartbeat_at = now() - interval '1 hour'
WHERE public_id = %s AND status = 'processing' RETURNING cardinality(claims)"""
_JOURNAL = """
SELECT step, rows, keys FROM batches_journalentry JOIN batches_batch AS batch
 ON batch_id = batch.number
WHERE public_id = %s AND "table" = 'longshore_logistics_contact'"""
_TABLES = "SELECT relname FROM pg_class WHERE starts_with(relname, 'longshore_batch_')"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with (
        tempfile.TemporaryDirectory(prefix="longshore-") as folder,
        Stack(Path(folder), 0, "tests.recovery.frequent_deaths").running() as stack,
    ):
        with servers.connect(stack.folder, embedded.DATABASE) as connection:
            connection.execute("TRUNCATE longshore_logistics_contact CASCADE")
            found = connection.execute(
                "SELECT id FROM longshore_accounts_organization WHERE slug = 'acme'"
            ).fetchone()
            assert found
            values = {"organization": found[0], "number": EXISTING}
            for statement in (_GROUPS, _EXISTING_ROWS, _LINKS):
                connection.execute(statement, values)
            connection.execute(_SLOW)
        yield stack


@contextmanager
def watching(stack: Stack) -> Iterator[Connection]:
    """Yield a connection that sees every commit at once."""
    with servers.connect(stack.folder, embedded.DATABASE) as connection:
        connection.autocommit = True
        yield connection


def records(stack: Stack) -> list[tuple[Any, ...]]:
    return stack.query(_RECORDS)


def request(number: int) -> dict[str, Any]:
    """Return a request that updates, creates and deletes contacts. number: of the batch."""
    ids = [f"ctct_{n:022}" for n in range(1, EXISTING + 1)]
    changed, same = ids[:UPDATED], ids[UPDATED : UPDATED + UNCHANGED]
    rows = [{"id": key, "name": f"New {number}", "groups": ["New"]} for key in changed]
    rows += [
        {"id": key, "name": f"Old {n}", "groups": ["Old"]}
        for n, key in enumerate(same, UPDATED + 1)
    ]
    rows += [{"name": f"Created {n}", "groups": ["Old", "New"]} for n in range(CREATED)]
    # The steps alternate in every chunk.
    random.Random(number).shuffle(rows)  # noqa: S311
    return {"resource": "contact", "action": "overwrite", "mode": "async", "data": rows}


class Victim:
    """A batch whose attempts are killed."""

    def __init__(self, stack: Stack, connection: Connection, public_id: str) -> None:
        self._stack = stack
        self._connection = connection
        self.public_id = public_id
        self._dead = 0

    def phase(self) -> str:
        """Return the phase of the living attempt, `queued` before it, or the final status."""
        found = self._connection.execute(_STATE, [self.public_id]).fetchone()
        assert found
        status, claims, organization, is_parsed, is_planned, written = found
        if status != "processing":
            return str(status)
        if len(claims) == self._dead:
            return "queued"
        folder = self._stack.storage / "batches" / organization / self.public_id / claims[-1]
        if folder.exists():
            return "files"
        if written == UPDATED + CREATED:
            return "cleanup"
        if is_planned:
            return "processing"
        return "validation" if is_parsed else "parsing"

    def kill(self, phase: str, pause: float, *, whole: bool = False) -> list[str]:
        """Kill an attempt in a phase, or in a later one if the phase is fast.

        pause: seconds after the beginning of the phase. whole: kill all processes of the worker.
        Returns the phase in which it died; nothing if the batch had ended.
        """
        earlier = ("queued", *PHASES[: PHASES.index(phase)])
        wait_until(lambda: self.phase() not in earlier)
        time.sleep(pause)
        if whole:
            self._stack.kill("worker")
            self._stack.start("worker")
        else:
            self._stack.kill_tasks("worker")
        if (died_in := self.phase()) not in PHASES:
            return []
        found = self._connection.execute(_SILENCE, [self.public_id]).fetchone()
        self._dead = found[0] if found else self._dead
        self._stack.send("batches.recover", "maintenance")
        return [died_in]

    def end(self) -> str:
        """Wait until the batch has ended. Returns its status."""
        wait_until(lambda: self.phase() not in ("queued", *PHASES))
        return self.phase()


def test_killed_attempts_neither_double_nor_lose_a_row(stack: Stack) -> None:
    chance, kills = random.Random(SEED), Counter[str]()  # noqa: S311
    former = records(stack)
    with watching(stack) as connection, stack.storage_fault("SLOW"):
        for number in range(MAX_BATCHES):
            shown = stack.request("POST", "/v1/batches", request(number))
            batch = Victim(stack, connection, shown["id"])
            for phase in PHASES:
                whole = kills.total() % WORKER_KILLS == WORKER_KILLS - 1
                pause = chance.uniform(0, MAX_PAUSES[phase])
                kills.update(batch.kill(phase, pause, whole=whole))
            assert batch.end() == "completed", stack.logs()
            assert_written(stack, batch.public_id, number)
            undo = stack.request("POST", f"/v1/batches/{batch.public_id}/undo")
            undoing = Victim(stack, connection, undo["id"])
            # It has one phase, which nothing shows.
            undoing.kill("parsing", chance.uniform(0, MAX_PAUSES["processing"]))
            assert undoing.end() == "completed", stack.logs()
            assert records(stack) == former
            if kills.total() >= KILLS:
                break
    assert kills.total() >= KILLS, kills
    assert min(kills[phase] for phase in PHASES) >= 2, kills
    wait_until(lambda: not stack.query(_TABLES))
    assert stack.died() == []


def assert_written(stack: Stack, public_id: str, number: int) -> None:
    """Assert that the records, the counts, the journal and the result file agree."""
    shown = stack.request("GET", f"/v1/batches/{public_id}?include_result_json=true")
    outcomes = {
        "created": CREATED,
        "updated": UPDATED,
        "unchanged": UNCHANGED,
        "deleted": DELETED,
        "failed": 0,
    }
    assert {name: shown["stats"][name] for name in outcomes} == outcomes, shown
    found = {record["id"]: (record, groups) for record, groups in records(stack)}
    names = Counter(record["name"] for record, _ in found.values())
    assert names == Counter(
        [f"New {number}"] * UPDATED
        + [f"Old {n}" for n in range(UPDATED + 1, UPDATED + UNCHANGED + 1)]
        + [f"Created {n}" for n in range(CREATED)]
    )
    assert Counter(tuple(groups) for _, groups in found.values()) == {
        ("grp_new",): UPDATED,
        ("grp_old",): UNCHANGED,
        ("grp_new", "grp_old"): CREATED,
    }
    steps, rows, deleted = Counter[str](), dict[int, str](), list[str]()
    for step, numbers, keys in stack.query(_JOURNAL, public_id):
        steps[step] += len(keys)
        if step == "d":
            deleted += keys
        for row, key in zip(numbers, keys, strict=False):
            assert row not in rows
            rows[row] = key
    assert steps == {"c": CREATED, "u": UPDATED, "d": DELETED}
    assert set(rows.values()) | set(deleted) | {
        key for key, (record, _) in found.items() if record["name"].startswith("Old ")
    } == set(found) | {f"ctct_{n:022}" for n in range(EXISTING - DELETED + 1, EXISTING + 1)}
    lines = [json.loads(line) for line in download(stack, shown["result_json"]).splitlines()]
    assert [line["row"] for line in lines] == list(range(1, ROWS + 1))
    for line, given in zip(lines, request(number)["data"], strict=True):
        record, _ = found[line["id"]]
        assert record["name"] == given["name"]
        assert given.get("id", line["id"]) == line["id"]
        assert rows.get(line["row"], line["id"]) == line["id"]


def download(stack: Stack, url: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{stack.port}/{url.split('/', 3)[3]}") as answer:
        content: bytes = answer.read()
    return content
