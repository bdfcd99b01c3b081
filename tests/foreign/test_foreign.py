"""A project that nobody here wrote for Longshore overlays it: own user, own tenant, own queue."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from tests.foreign.contents import READERS, Row, expected, found
from tests.foreign.team import Team, copy_project

pytestmark = pytest.mark.stack
RESOURCES = ("country", "club", "product", "book", "listed", "review", "invoice")


@pytest.fixture(scope="module")
def team() -> Iterator[Team]:
    """The project with all processes, and records of two tenants."""
    with TemporaryDirectory(prefix="team-") as name:
        folder = Path(name).resolve()
        copy_project(folder)
        # The file of environment variables is the project's own.
        (folder / ".env").write_text("DOMAINS=\n")
        team = Team(folder, "foreignsite.settings")
        team.command("makemigrations", "accounts", "shop")
        team.command("check", "--fail-level", "WARNING")
        # The settings of the project change no table of Longshore.
        team.command("makemigrations", "--check", "--dry-run")
        with team.running():
            # Also executes the statements of each resource.
            team.command("check", "--database", "default", "--fail-level", "WARNING")
            team.command("fill")
            yield team


def rows(team: Team, resource: str) -> list[Row]:
    output: list[Row] = json.loads(team.command("rows", resource, "acme").splitlines()[-1])
    return output


def test_every_resource_is_exported_in_every_format(team: Team) -> None:
    names = [each["name"] for each in team.request("GET", "/v1/resources")["results"]]
    assert names == [*RESOURCES]
    for name in names:
        columns = team.request("GET", f"/v1/resources/{name}")["columns"]
        kinds = {each["name"]: each["type"] for each in columns}
        stored = rows(team, name)
        assert stored
        key = columns[0]["name"]
        for format_name, read in READERS.items():
            body = {"resource": name, "format": format_name, "options": {"order_by": key}}
            content = read(team.download(body))
            case = (name, format_name)
            assert [
                {column: found(format_name, kind, row[column]) for column, kind in kinds.items()}
                for row in content
            ] == [
                {column: expected(format_name, kind, row[column]) for column, kind in kinds.items()}
                for row in stored
            ], case


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [("product", "price", "9.99"), ("review", "mood", "sad"), ("invoice", "total", "0.50")],
)
def test_a_file_in_every_format_restores_changed_records(
    team: Team, name: str, column: str, value: str
) -> None:
    before = rows(team, name)
    key = "number" if name == "invoice" else "id"
    changes = [{key: row[key], column: value} for row in before]
    for format_name in READERS:
        content = team.download({"resource": name, "format": format_name})
        change = {"resource": name, "mode": "sync", "only": "update", "data": changes}
        assert team.request("POST", "/v1/batches", change)["status"] == "completed"
        assert {row[column] for row in rows(team, name)} == {value}
        batch = team.upload(name, f"{name}.{format_name}", content)
        # A sheet does not tell an empty text from null, and the name of a product must have one.
        kept = [row for row in before if format_name != "xlsx" or row.get("name") != ""]
        assert batch["stats"]["updated"] == len(kept), batch
        assert [row for row in rows(team, name) if row in kept] == kept, format_name


def test_softly_deleted_rows_and_those_of_other_tenants_are_in_no_file(team: Team) -> None:
    content = team.download({"resource": "review", "format": "jsonl"}).decode()
    assert "happy: Anvil" in content
    assert "sad: " not in content
    assert "Globex" not in team.download({"resource": "club"}).decode()


def test_records_are_imported_into_the_own_tenant_only(team: Team) -> None:
    [own] = rows(team, "club")
    new = {
        "club_id": own["id"],
        "sku": "N-1",
        "name": "New",
        "price": "1.50",
        "size": "l",
        "tags": ["a", "b, c"],
        "details": {"weight": 1},
        "is_listed": False,
        "added": "2024-02-29T12:00:00.000001Z",
    }
    foreign = new | {"sku": "N-2", "club_id": own["id"] + 1}
    body = {"resource": "product", "mode": "sync", "data": [new, foreign]}
    batch = team.request("POST", "/v1/batches", body)
    assert batch["reason"] == "2 rows: 1 created, 1 failed."
    [stored] = [row for row in rows(team, "product") if row["sku"].startswith("N-")]
    assert stored == new | {"id": stored["id"], "added": "2024-02-29T12:00:00.000001+00:00"}
    # Last, so that other tests see the records of `fill`.
    team.request("POST", f"/v1/batches/{batch['id']}/undo")


def test_a_table_of_another_schema_is_written_and_restored(team: Team) -> None:
    before = rows(team, "invoice")
    [club] = rows(team, "club")
    changed = before[0] | {"total": "7.25"}
    new = {"number": "N-1", "club_id": club["id"], "total": "1.00", "issued": "2024-02-29"}
    body = {"resource": "invoice", "mode": "sync", "data": [changed, new]}
    batch = team.request("POST", "/v1/batches", body)
    # The number is the primary key, which the team chooses.
    assert batch["reason"] == "2 rows: 1 created, 1 updated."
    assert rows(team, "invoice") == sorted([changed, new], key=lambda each: each["number"])
    undo = team.request("POST", f"/v1/batches/{batch['id']}/undo")
    team.complete(f"/v1/batches/{undo['id']}")
    assert rows(team, "invoice") == before


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        ("country", "all organizations share them"),
        ("book", "each record has rows in several tables"),
    ],
)
def test_models_that_a_batch_cannot_write_are_refused_by_name(
    team: Team, resource: str, reason: str
) -> None:
    body = {"resource": resource, "mode": "sync", "data": [{"name": "x"}]}
    response = team.send("POST", "/v1/batches", body)
    assert response.status_code == 400
    assert reason in response.text


def test_urls_and_tasks_of_the_team_run_beside_those_of_longshore(team: Team) -> None:
    """Its task uses its queue, and its file STORAGES["default"]."""
    base = f"http://127.0.0.1:{team.port}"
    httpx.get(f"{base}/shop/stamp?text=sent", timeout=30)
    deadline = time.monotonic() + 60
    while httpx.get(f"{base}/shop/stamp", timeout=30).json() != {"stamps": ["stamps/sent.txt"]}:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert (team.folder / "media/stamps/sent.txt").read_text() == "sent"
    checks = httpx.get(f"{base}/readyz", timeout=30).json()["checks"]
    assert checks["worker_shop"]["state"] == "ok"


def test_the_cache_of_the_team_stores_what_that_of_longshore_cannot(team: Team) -> None:
    response = httpx.get(f"http://127.0.0.1:{team.port}/shop/cached", timeout=30)
    assert response.json() == {"type": "datetime", "leases": [True, False]}


def test_open_defaults_of_the_team_open_no_endpoint(team: Team) -> None:
    base = f"http://127.0.0.1:{team.port}"
    for path in ("/v1/products", "/v1/exports", "/packagex/v1/exports", "/api/exports"):
        assert httpx.get(f"{base}{path}", timeout=30).status_code == 401


def test_a_person_of_the_own_user_model_uses_the_admin(team: Team) -> None:
    base = f"http://127.0.0.1:{team.port}"
    with httpx.Client(base_url=base, timeout=60, follow_redirects=True) as browser:
        login(browser, team.demo["admin_username"], team.demo["admin_password"])
        listed = browser.get("/admin/accounts/member/")
        assert "admin@example.com" in listed.text
        address = re.findall(r"/admin/accounts/member/[0-9a-f-]{36}/change/", listed.text)[0]
        [organization] = set(
            re.findall(
                r"/admin/longshore_accounts/organization/org_\w+/change/(?=[^>]*>\s*Acme)",
                browser.get("/admin/longshore_accounts/organization/").text,
            )
        )
        for path in (
            address,
            organization,
            "/admin/shop/product/",
            "/admin/longshore_accounts/auditentry/",
            "/admin/second-factor/",
            "/admin/preferences/",
            "/admin/exports/export/",
            "/admin/",
        ):
            page = browser.get(path)
            assert (path, page.status_code, page.url.path) == (path, 200, path)


def test_a_bound_person_opens_no_page_that_shows_all_rows(team: Team) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{team.port}", timeout=60) as browser:
        browser.follow_redirects = True
        login(browser, "bound@example.com", "a long password")
        home = browser.get("/admin/").text
        assert "/admin/exports/export/" in home
        assert "/admin/shop/product/" not in home
        assert browser.get("/admin/exports/export/").status_code == 200
        assert browser.get("/admin/shop/product/").status_code == 404
        # The user model is of administrators, whatever its app.
        assert browser.get("/admin/accounts/member/").status_code in (403, 404)


_READERS = """
from dataclasses import replace
from accounts.models import Member
from longshore.api.errors import ApiError
from longshore.resources.readers import check_person
from longshore.resources.registry import registry
person = Member.objects.get(email="bound@example.com")
for role in ("Viewer", "Operator"):
    try:
        check_person([replace(registry.get("club"), roles=[role])], person)
        print(role, "may read")
    except ApiError as error:
        print(error)
"""


def test_a_person_of_the_own_user_model_has_roles(team: Team) -> None:
    shown = team.command("shell", "--verbosity", "0", "--command", _READERS)
    assert shown.splitlines()[-2:] == ["Viewer may read", "club needs the role Operator."]


def login(browser: httpx.Client, username: str, password: str) -> None:
    page = browser.get("/admin/login/")
    [token] = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text))
    response = browser.post(
        "/admin/login/",
        data={
            "username": username,
            "password": password,
            "csrfmiddlewaretoken": token,
        },
        headers={"Referer": str(page.url)},
    )
    assert response.url.path == "/admin/", response.text
