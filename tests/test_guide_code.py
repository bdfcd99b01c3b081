"""The code of README.md and docs/, executed literally against the servers of `make run`.

docs/your-models.md and docs/resources.md are tested in tests/foreign, the receivers of
docs/recipes/webhooks.md in tests/webhooks, the pages of the clients in tests/clients. The code of
docs/contributing.md is an extract of tests/greetings. Blocks without a language are output,
configuration, or commands that need root or change the machine. tests/test_docs_blocks.py checks
both.
"""

import csv
import gzip
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from exports_project import embedded
from tests import installations
from tests.exports.nested import joined
from tests.node import unavailable

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 600
PAGE_SECONDS = 600
TOUR = "docs/index.md"
WAREHOUSE = "docs/recipes/warehouse.md"
PAGES = [
    "README.md",
    *("docs/api.md", "docs/batches.md", "docs/operations.md", "docs/webhooks.md"),
    *(f"docs/recipes/{path.name}" for path in sorted((ROOT / "docs/recipes").glob("*.md"))),
]
# Programs that some pages use, and their packages in Debian.
PROGRAMS = {"docs/batches.md": "jq", WAREHOUSE: "psql"}
# Tested elsewhere.
OTHERS = {
    *("docs/your-models.md", "docs/resources.md", "docs/contributing.md"),
    *("docs/clients/python.md", "docs/clients/typescript.md"),
}
pytestmark = pytest.mark.stack
NEW_YORK = ZoneInfo("America/New_York")
SHIPMENTS = """
    SELECT shipment.id, tracking_number, provider, status, recipient, location.name, tags,
        shipment.created_at
    FROM longshore_logistics_shipment AS shipment
    JOIN longshore_accounts_organization AS organization
      ON organization.id = shipment.organization_id
    LEFT JOIN longshore_logistics_location AS location ON location.id = shipment.location_id
    WHERE slug = 'acme' AND provider IN ('fedex', 'ups', 'usps')
        AND shipment.created_at >= '2024-12-01 America/New_York'
    ORDER BY shipment.created_at, shipment.id"""
COUNT = """
    SELECT count(*) FROM longshore_logistics_{} AS record
    JOIN longshore_accounts_organization AS organization ON organization.id = record.organization_id
    WHERE slug = 'acme'"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that looks like a clone of the repository, with all servers running."""
    with tempfile.TemporaryDirectory(prefix="longshore-") as name:
        folder = Path(name)
        (folder / "manage.py").symlink_to(ROOT / "manage.py")
        (folder / ".venv").symlink_to(sys.prefix)
        (folder / "clients").symlink_to(ROOT / "clients")
        installations.copy("demo", folder / ".local")
        with (folder / "log").open("wb") as log:
            command = [sys.executable, "-m", "exports_project.serve"]
            environment = environment_of(folder) | {"PORT": str(free_port())}
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            deadline = time.monotonic() + START_SECONDS
            while "Longshore is ready" not in (output := (folder / "log").read_text()):
                assert process.poll() is None, output
                assert time.monotonic() < deadline, output
                time.sleep(0.2)
            yield folder
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


@pytest.fixture(scope="module")
def tour(folder: Path) -> str:
    """The output of the tour."""
    return run(folder, TOUR)


def script(page: str) -> str:
    """Return the program of a page: its blocks in their order.

    A block that begins with the name of a file, in a comment, is that file.
    """
    files, commands = "", ""
    if page != TOUR:
        # The variables of the tour.
        commands = f"{blocks(TOUR)[0][1]}export LONGSHORE_URL=$BASE LONGSHORE_API_KEY=$KEY\n"
    for language, code in blocks(page):
        if name := re.match(r"(?:<\?php\n)?(?:#|//) (\S+\.\w+)\n", code):
            files += f"cat > {name[1]} <<'END'\n{code}END\n"
        elif language == "bash":
            commands += code
        elif language == "python":
            commands += f"python3 - <<'END'\n{code}END\n"
        else:
            # test_docs.py sends requests, test_receivers.py calls the function of the shell.
            assert language in ("json", "sh"), language
    return files + commands


def blocks(page: str) -> list[tuple[str, str]]:
    """Return language and code of each block of a page that has a language."""
    # Readers choose the port, and this one may be in use here.
    text = (ROOT / page).read_text().replace("9000", str(free_port()))
    return re.findall(r"^```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def run(folder: Path, page: str) -> str:
    """Return the output of the program of a page. Each block must succeed."""
    with subprocess.Popen(
        ["/bin/bash", "-e"],
        cwd=folder,
        env=environment_of(folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as shell:
        try:
            shown, errors = shell.communicate(script(page), timeout=PAGE_SECONDS)
        finally:
            # Stop background processes of a program that failed.
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGTERM)
    assert shell.returncode == 0, shown + errors + (folder / "log").read_text()
    return shown


def environment_of(folder: Path) -> dict[str, str]:
    host, name = embedded.socket_dir(folder / ".local"), embedded.DATABASE
    return os.environ | {
        "LOCAL_DIR": str(folder / ".local"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "clients/python"),
        "WAREHOUSE": f"host={host} user={name} dbname=postgres",
    }


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def query(folder: Path, statement: str) -> list[tuple[Any, ...]]:
    host = str(embedded.socket_dir(folder / ".local"))
    with psycopg.connect(host=host, user=embedded.DATABASE, dbname=embedded.DATABASE) as reader:
        return reader.execute(statement.encode()).fetchall()


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_a_page_runs(folder: Path, page: str) -> None:
    program = PROGRAMS.get(page, "bash")
    if shutil.which(program) is None:
        unavailable(f"{program} is not installed", in_ci=True)
    run(folder, page)


@pytest.mark.parametrize(("records", "is_loaded"), [(2, True), (3, False)])
def test_the_recipe_loads_a_file_only_if_it_is_complete(
    folder: Path, tmp_path: Path, records: int, is_loaded: bool
) -> None:
    if shutil.which("psql") is None:
        unavailable("psql is not installed", in_ci=True)
    table, load = (code for _, code in blocks(WAREHOUSE) if code.startswith("psql "))
    columns = "id,provider,status,amount,tags,recipient,created_at,updated_at"
    rows = [f"{key}_{records},carrier{records},,,,,,2025-01-31T12:00:00Z" for key in ("a", "b")]
    with gzip.open(tmp_path / "shipments.csv.gz", "wt") as file:
        file.write("\n".join([columns, *rows, ""]))
    count = "SELECT count(*) FROM shipments WHERE provider = :'carrier'"
    program = (
        f"show() {{ :; }}\nfield() {{ echo {records}; }}\n{table}{load}echo $?\n"
        f'psql "$WAREHOUSE" --tuples-only --no-align --set carrier=carrier{records} <<< "{count}"\n'
    )
    done = subprocess.run(
        ["/bin/bash", "-c", program],
        cwd=tmp_path,
        env=environment_of(folder),
        capture_output=True,
        text=True,
        timeout=PAGE_SECONDS,
    )
    # psql ends with 3 if a statement of a script has failed.
    assert done.stdout.split() == (["0", "2"] if is_loaded else ["3", "0"])
    assert ("is_complete" in done.stderr) != is_loaded


def test_every_page_with_code_is_tested() -> None:
    languages = {
        str(path.relative_to(ROOT)): {language for language, _ in blocks(str(path))}
        for path in (ROOT / "docs").rglob("*.md")
    }
    with_code = {page for page, found in languages.items() if found - {"json"}}
    assert with_code == {*PAGES, *OTHERS, TOUR} - {"README.md"}


def test_csv_of_the_tour_has_the_rows_of_the_database(folder: Path, tour: str) -> None:
    with (folder / ".local/shipments.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == [
        *("id", "tracking_number", "provider", "status", "recipient", "Shipped from", "tags"),
        "created_at",
    ]
    read = [(*row[:4], json.loads(row[4] or "null"), *row[5:]) for row in rows]
    assert read == [
        (
            *(text or "" for text in texts),
            recipient,
            location or "",
            joined(tags),
            created_at.astimezone(NEW_YORK).strftime("%m/%d/%Y %I:%M:%S %p"),
        )
        for *texts, recipient, location, tags, created_at in query(folder, SHIPMENTS)
    ]
    assert len(read) > 100
    # Counted by the reader, then by the API.
    assert f"\n{len(read)}\n{len(read)}\n" in tour


def test_other_files_of_the_tour_have_every_record(folder: Path, tour: str) -> None:
    with gzip.open(folder / ".local/contacts.jsonl.gz", "rt", encoding="utf-8") as lines:
        contacts = [json.loads(line) for line in lines]
    assert [(len(contacts),)] == query(folder, COUNT.format("contact"))
    with (folder / ".local/all.csv").open(newline="", encoding="utf-8") as file:
        shipments = list(csv.DictReader(file))
    assert [(len(shipments),)] == query(folder, COUNT.format("shipment"))
    last = [json.loads(line) for line in tour.splitlines()[-3:]]
    assert all(set(contact) == {"id", "name", "groups"} for contact in last)


def test_webhook_of_the_tour_receives_the_file(folder: Path, tour: str) -> None:
    received = (folder / ".local/received.txt").read_text()
    printed = re.search(r"export\.created  verified\nevt_\w+\n(\{\n.*?\n\})\n", received, re.DOTALL)
    assert printed
    assert printed[1] in tour
    message = json.loads(printed[1])
    assert message["data"]["status"] == "completed"
    with urllib.request.urlopen(message["data"]["download_url"]) as link:  # noqa: S310
        assert len(link.read().decode().splitlines()) > 10
    # Other pages subscribe other targets.
    left = "SELECT count(*) FROM webhooks_subscription WHERE active AND target LIKE 'http://127.%'"
    assert query(folder, left) == [(0,)]


def test_error_of_the_tour_suggests_the_right_name(tour: str) -> None:
    assert "shipment has no filter 'stauts'. Did you mean 'status'?" in tour


def test_batch_of_the_tour_reports_its_errors_and_is_undone(folder: Path, tour: str) -> None:
    assert "2 rows: 1 created, 1 failed." in tour
    assert "'asleep' is not a value of status." in tour
    deadline = time.monotonic() + PAGE_SECONDS
    created = "SELECT count(*) FROM longshore_commerce_customer WHERE email = 'ada@example.org'"
    while query(folder, created) != [(0,)]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
