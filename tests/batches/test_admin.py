"""Admin of batches: permissions, list, page, errors, downloads and actions."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from batches.lifecycle.transitions import batch_lifecycle
from batches.models import Batch, BatchLimits, JournalEntry
from longshore.accounts.models import AuditEntry, Organization
from longshore.accounts.roles import Role
from longshore.database.paginator import EstimatingPaginator
from longshore.domains.logistics.models import Contact
from longshore.jobs import actions
from longshore.jobs.statuses import Status
from longshore.resources.registry import Registry
from tests.awkward.test_readers import replaced
from tests.batches.running import CSV, CSV_WITH_ERROR, created, post_file, run
from tests.claims import claim
from tests.conftest import KeyClient
from tests.exports.conftest import storage
from tests.records import copies

__all__ = ["storage"]
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("static_files", "storage"),
]
LIST = "/admin/batches/batch/"
ERRORS = "/admin/batches/batcherror/"


def signed_in(name: str, *codenames: str) -> Client:
    """Sign in a new staff user with permissions, not a superuser."""
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def viewer(db: None) -> Client:
    return signed_in("viewer", "view_batch")


@pytest.fixture
def manager(db: None) -> Client:
    """A user who may do everything with batches; not a superuser."""
    permissions = Permission.objects.filter(content_type__app_label="batches")
    return signed_in("manager", *permissions.values_list("codename", flat=True))


def queued(client: KeyClient, content: str = CSV, **request: Any) -> Batch:
    return created(post_file(client, content, mode="async", **request))


@pytest.fixture
def completed(alice: KeyClient) -> Batch:
    """A batch of two rows. One of them has an error."""
    mapping = {"Shoe size": None}
    content = "name;is_primary;Shoe size;created_at\nZoë;true;43;\nŁukasz;perhaps<b>;42;\n"
    return run(queued(alice, content, mapping=mapping))


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def change(batch: Batch) -> str:
    return reverse("admin:batches_batch_change", args=[batch.pk])


def errors_of(batch: Batch) -> str:
    return f"{ERRORS}?batch={batch.pk}"


def download(batch: Batch) -> str:
    return reverse("admin:batches_batch_download", args=[batch.pk])


def button(batch: Batch, name: str) -> str:
    return reverse(f"admin:batches_batch_{name}", args=[batch.pk])


def act(client: Client, batch: Batch, name: str) -> int:
    """Submit the dialog of an action."""
    return client.post(button(batch, name), {"_form_submitted": "on"}).status_code


def listed(client: Client, query: str = "") -> list[str]:
    """Return the ids of the batches in the list, in its order."""
    return re.findall(r"<code[^>]*>(batch_\w+)</code>", page(client, LIST + query))


def text_of(html: str) -> str:
    """Return the text between the tags, with single spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_guests_must_sign_in_and_staff_without_permission_see_nothing(completed: Batch) -> None:
    addresses = [LIST, change(completed), download(completed), errors_of(completed)]
    guest = Client()
    assert all("/admin/login/" in guest.get(address).headers["Location"] for address in addresses)
    unauthorized = signed_in("unauthorized", "view_export")
    assert [unauthorized.get(address).status_code for address in addresses] == [403] * 4
    assert LIST not in page(unauthorized, "/admin/")


def test_no_form_adds_changes_or_deletes_a_batch(admin_client: Client, completed: Batch) -> None:
    for address in (f"{LIST}add/", f"{LIST}{completed.pk}/delete/", f"{ERRORS}add/"):
        assert admin_client.get(address).status_code == 403
    assert admin_client.post(change(completed), {"status": "queued"}).status_code == 403


def test_the_list_shows_batches_with_their_outcome(
    viewer: Client, alice: KeyClient, charlie: KeyClient, completed: Batch
) -> None:
    dry_run = run(queued(alice, dry_run=True))
    waiting = queued(charlie, "id\n1\n", action="delete")
    assert listed(viewer) == [batch.public_id for batch in (waiting, dry_run, completed)]
    found = re.findall(r'(?s)<tr class="data-row.*?</tr>', page(viewer, LIST))
    rows = [text_of(row) for row in found]
    assert "Globex Stores Contacts delete Queued Waiting for a worker 0% charlie" in rows[0]
    assert "Contacts merge, dry run Completed 2 rows 2 created alice" in rows[1]
    assert "Acme Freight Contacts merge Completed 2 rows 1 created 1 failed alice" in rows[2]


def test_the_list_can_be_filtered_and_searched(
    viewer: Client, alice: KeyClient, charlie: KeyClient, globex: Organization
) -> None:
    body = {"resource": "group", "data": [{"name": "Crew", "resource": "contact"}], "mode": "sync"}
    first = created(alice.post("/v1/batches", body))
    second = queued(charlie, "id\n1\n", action="delete")
    for query in (
        "?status__exact=queued",
        "?resource=contact",
        "?action__exact=delete",
        "?mode__exact=async",
        "?via__exact=file",
        f"?organization__id__exact={globex.pk}",
        f"?q={second.public_id[:-1]}",
    ):
        assert listed(viewer, query) == [second.public_id], query
    assert listed(viewer, "?via__exact=api") == [first.public_id]


def test_a_long_list_is_counted_by_estimate_and_skips_earlier_pages_in_the_index(
    viewer: Client, completed: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EstimatingPaginator, "max_counted", 50)
    columns = {
        "number": "number + n",
        "organization_number": "organization_number + n",
        "public_id": "public_id || lpad(n::text, 3, '0')",
    }
    copies(completed, 119, **columns)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE batches_batch")
    with CaptureQueriesContext(connection) as queries:
        ids = listed(viewer, "?p=3")
    expected = Batch.objects.order_by("-number").values_list("public_id", flat=True)
    assert ids == list(expected)[100:]
    statements = [each["sql"] for each in queries if 'FROM "batches_batch"' in each["sql"]]
    # Two for the links of days, two to count, two for a page: none for each batch.
    assert len(statements) == 6
    assert all("LIMIT 51" in each for each in statements if "COUNT" in each)
    [skipping] = [each for each in statements if "OFFSET" in each]
    assert skipping.startswith('SELECT "batches_batch"."number" AS "pk" FROM')


@pytest.fixture
def previewer(db: None) -> Client:
    return signed_in("previewer", "view_batch", "preview_batch")


def test_the_page_shows_phases_counts_input_errors_files_and_undo(
    previewer: Client, completed: Batch
) -> None:
    content = page(previewer, change(completed))
    shown = text_of(content)
    for text in (
        "Contacts, merge",
        "2 rows: 1 created, 1 failed.",
        "Created 1 Updated 0 Unchanged 0 Deleted 0 Failed 1",
        "Parsing 2 rows Validation 2 rows, 1 failed Processing 1 row",
        "First errors ( show all )",
        "2 is_primary perhaps&lt;b&gt; invalid_type",
        f"people.csv ({completed.input_bytes} bytes) SHA-256 {completed.input_sha256}",
        "format csv compression none encoding utf-8 delimiter ;",
        "name → name is_primary → is_primary Shoe size → ignored created_at → ignored",
        "The batch ignores read-only columns: &#x27;created_at&#x27;.",
        "Undo Possible until 20",
        "Journal 1 entry",
        "&quot;resource&quot;: &quot;contact&quot;",
        completed.claims[0],
        "alice",
    ):
        assert text in shown, text
    assert "<b>" not in content
    assert errors_of(completed) in content
    for file in completed.files.all():
        assert file.name in content
    # Without the permission, no file has a link.
    assert "/download/" not in content


def test_a_running_batch_shows_its_phase(viewer: Client, alice: KeyClient) -> None:
    batch = claim(batch_lifecycle, queued(alice))
    assert batch is not None
    phases = [{"name": "parsing", "total": None, "processed": 1_200, "success": 0, "error": 0}]
    batch_lifecycle.report(batch, 1_200, phases=phases)
    assert "Parsing: 1,200 rows so far" in text_of(page(viewer, LIST))
    content = page(viewer, change(batch))
    assert "data-unfinished" in content
    assert "Undo Possible when the batch has ended" in text_of(content)
    phases = [phases[0] | {"total": 1_200}, phases[0] | {"name": "validation", "total": 4_800}]
    batch_lifecycle.report(batch, 1_200, phases=phases, records_count=4_800)
    shown = text_of(page(viewer, change(batch)))
    assert "Parsing 1,200 rows Validation 1,200 of 4,800 rows" in shown
    batch_lifecycle.cancel(batch)
    assert "Stopped during validation" in text_of(page(viewer, change(batch)))


def test_a_failed_batch_shows_why_and_its_files(manager: Client, alice: KeyClient) -> None:
    batch = run(queued(alice, CSV_WITH_ERROR, on_error="abort"))
    shown = text_of(page(manager, change(batch)))
    assert "1 row has errors, and the batch writes all rows or none." in shown
    assert "Stopped after validation" in shown
    assert "Unprocessed contacts-unprocessed" in shown


def test_texts_of_cells_need_the_permission_to_preview_and_are_recorded(
    viewer: Client, previewer: Client, completed: Batch
) -> None:
    for address in (change(completed), errors_of(completed)):
        shown = text_of(page(viewer, address))
        assert "is_primary" in shown
        assert "perhaps" not in shown
        assert not AuditEntry.objects.exists()
    for address in (change(completed), errors_of(completed)):
        assert "perhaps" in page(previewer, address)
        entry = AuditEntry.objects.get()
        assert entry.message == f"Previewed rows with errors of {completed}."
        entry.delete()


def test_corrected_cells_need_the_permission_to_preview_and_are_deleted_with_the_input(
    viewer: Client, previewer: Client, alice: KeyClient
) -> None:
    corrections = {"1": {"name": "Ada Lovelace"}, "2": {"name": "Łucja", "email": None}}
    batch = run(queued(alice, corrections=corrections, dry_run=True))
    shown = page(viewer, change(batch))
    assert "Lovelace" not in shown
    assert "&quot;corrections&quot;: &quot;3 corrected cells&quot;" in shown
    assert not AuditEntry.objects.exists()
    for _ in range(2):
        assert "Lovelace" in page(previewer, change(batch))
    previews = AuditEntry.objects.filter(action="preview")
    assert previews.filter(message=f"Previewed the corrected cells of {batch}.").count() == 1
    actions.expire(batch_lifecycle, batch)
    batch.refresh_from_db()
    assert batch.status == Status.EXPIRED
    assert "corrections" not in batch.request
    assert batch.parsed_spec().corrections == {}
    assert "Lovelace" not in page(previewer, change(batch))


def test_an_error_has_no_page_of_its_own(previewer: Client, completed: Batch) -> None:
    error = completed.row_errors.get()
    for name in ("change", "history", "delete"):
        address = f"{ERRORS}{error.pk}/{name}/?batch={completed.pk}"
        assert previewer.get(address).status_code in (403, 404)


def test_all_errors_are_in_a_paged_list(viewer: Client, alice: KeyClient) -> None:
    batch = run(queued(alice, "name,is_primary\n" + "Zoë,perhaps\n" * 60))
    other = run(queued(alice, "name,is_primary\nZoë,never\n"))
    first, second = (page(viewer, f"{errors_of(batch)}&p={number}") for number in (1, 2))
    # The filter by code names it too.
    cell = '"admin-code">invalid_type<'
    assert first.count(cell) == 50
    assert second.count(cell) == 10
    assert change(batch) in first
    assert "never" not in first + second
    assert page(viewer, errors_of(other)).count(cell) == 1
    assert page(viewer, f"{errors_of(batch)}&q=7").count(cell) == 1
    assert page(viewer, f"{errors_of(batch)}&q=x").count(cell) == 0
    assert page(viewer, f"{errors_of(batch)}&code=too_long").count(cell) == 0
    assert page(viewer, f"{errors_of(batch)}&code=invalid_type").count(cell) == 50
    # No list without a batch, and none of a deleted batch.
    batch_lifecycle.delete(batch)
    for address in (ERRORS, errors_of(batch), f"{ERRORS}?batch=x"):
        assert cell not in viewer.get(address, follow=True).content.decode()


@pytest.mark.parametrize("number", ["abc", "9" * 5_000], ids=["text", "digits"])
def test_a_number_that_is_no_key_finds_no_batch_and_no_error(
    manager: Client, completed: Batch, number: str
) -> None:
    assert manager.get(f"{LIST}{number}/change/").status_code == 404
    assert manager.get(f"{ERRORS}?batch={number}", follow=True).status_code == 200
    assert '"admin-code">invalid_type<' not in page(manager, f"{errors_of(completed)}&q={number}")


def test_each_file_has_an_audited_download(manager: Client, completed: Batch) -> None:
    links = re.findall(r'href="([^"]+\?file=\d+)"', page(manager, change(completed)))
    contents: list[str] = []
    for link in links:
        target = manager.get(link).headers["Location"]
        response = Client().get(target)
        assert isinstance(response, StreamingHttpResponse)
        contents.append(b"".join(cast("Iterator[bytes]", response.streaming_content)).decode())
    kinds = [file.kind for file in completed.files.all()]
    assert sorted(kinds) == ["errors", "errors", "failed", "result", "upload"]
    assert contents[kinds.index("upload")].startswith("name;is_primary;Shoe size")
    assert contents[kinds.index("failed")].startswith("name;is_primary;Shoe size;created_at;_err")
    entries = AuditEntry.objects.filter(action="download", subject=completed.public_id)
    assert entries.count() == len(links) == 5
    Batch.objects.update(expires_at=timezone.now())
    response = manager.get(links[0], follow=True)
    assert "This batch has no file to download." in response.content.decode()
    assert "?file=" not in page(manager, change(completed))


def test_a_download_needs_its_permission(viewer: Client, completed: Batch) -> None:
    assert viewer.get(download(completed)).status_code == 403
    assert not AuditEntry.objects.exists()


def test_files_retries_undos_and_duplicates_need_a_role_of_the_resource(
    manager: Client, alice: KeyClient, completed: Batch, own_registry: Registry
) -> None:
    failed = run(queued(alice, CSV_WITH_ERROR, on_error="abort"))
    replaced(own_registry, "contact", roles=frozenset({Role.ADMINISTRATOR.value}))
    assert manager.get(download(completed)).status_code == 403
    assert manager.get(reverse("admin:batches_batch_zip", args=[completed.pk])).status_code == 403
    content = page(manager, change(completed))
    assert "/download/" not in content
    assert "/zip/" not in content
    for batch, name in (
        (failed, "retry_job"),
        (failed, "duplicate_job"),
        (completed, "undo_batch"),
    ):
        assert button(batch, name) not in page(manager, change(batch))
        assert act(manager, batch, name) == 403
    assert "?from=" not in page(manager, change(failed))
    assert not completed.reversals.exists()
    failed.refresh_from_db()
    assert failed.status == Status.FAILED
    assert not AuditEntry.objects.exists()


def test_a_manager_cancels_retries_and_deletes_a_batch(manager: Client, alice: KeyClient) -> None:
    batch = queued(alice)
    assert button(batch, "cancel_job") in page(manager, change(batch))
    assert "Rows that it has written stay" in page(manager, button(batch, "cancel_job"))
    assert act(manager, batch, "cancel_job") == 200
    batch.refresh_from_db()
    assert batch.status == Status.CANCELED
    assert act(manager, batch, "retry_job") == 200
    assert run(batch).status == Status.COMPLETED
    assert Contact.objects.count() == 2
    assert act(manager, batch, "delete_job") == 200
    assert not Batch.objects.visible().exists()
    assert Contact.objects.count() == 2


def test_a_manager_undoes_a_batch(manager: Client, completed: Batch) -> None:
    assert button(completed, "undo_batch") in page(manager, change(completed))
    assert act(manager, completed, "undo_batch") == 200
    reversal = Batch.objects.get(reverses=completed)
    content = page(manager, change(completed))
    assert f"The batch is undone by {reversal}." in content
    assert change(reversal) in content
    assert button(completed, "undo_batch") not in content
    assert act(manager, completed, "undo_batch") == 403
    run(reversal)
    assert not Contact.objects.exists()
    content = page(manager, change(reversal))
    assert "Contacts, undo of merge" in content
    assert change(completed) in content
    assert "Read as" not in content
    assert "manager, in the admin" in text_of(content)
    assert act(manager, reversal, "undo_batch") == 403
    assert f"By {reversal} (completed)" in text_of(page(manager, change(completed)))


def test_an_undo_that_was_canceled_is_repeated(manager: Client, completed: Batch) -> None:
    assert act(manager, completed, "undo_batch") == 200
    reversal = completed.reversals.get()
    assert act(manager, reversal, "cancel_job") == 200
    assert button(completed, "undo_batch") in page(manager, change(completed))
    assert act(manager, completed, "undo_batch") == 200
    assert completed.reversals.get().status == Status.QUEUED
    assert act(manager, completed, "undo_batch") == 403


def test_a_batch_can_be_undone_for_a_while(manager: Client, completed: Batch) -> None:
    Batch.objects.update(completed_at=timezone.now() - timedelta(days=8))
    assert "Undo Was possible until 20" in text_of(page(manager, change(completed)))
    assert act(manager, completed, "undo_batch") == 403
    JournalEntry.objects.all().delete()
    assert "Journal Empty" in text_of(page(manager, change(completed)))


def test_a_dry_run_cannot_be_undone(manager: Client, alice: KeyClient) -> None:
    batch = run(queued(alice, dry_run=True))
    assert "Undo Nothing to undo: a dry run" in text_of(page(manager, change(batch)))
    assert act(manager, batch, "undo_batch") == 403


def test_a_user_who_may_only_view_can_run_no_action(viewer: Client, completed: Batch) -> None:
    content = page(viewer, change(completed))
    for name in ("cancel_job", "retry_job", "undo_batch", "delete_job"):
        assert button(completed, name) not in content
        assert act(viewer, completed, name) == 403
    assert Batch.objects.count() == 1


def test_a_manager_sets_the_limits_of_an_organization(manager: Client, acme: Organization) -> None:
    user = User.objects.get(username="manager")
    user.user_permissions.add(Permission.objects.get(codename="view_organization"))
    names = [field.name for field in BatchLimits.limit_fields()]
    values = {name: 1_000 + number for number, name in enumerate(names)}
    answer = manager.post("/admin/batches/batchlimits/add/", {"organization": acme.pk, **values})
    assert answer.status_code == 302
    stored = BatchLimits.objects.get(organization=acme)
    assert {name: getattr(stored, name) for name in names} == values


def test_the_sidebar_links_to_batches_and_limits_only(manager: Client) -> None:
    content = page(manager, "/admin/")
    assert f'href="{LIST}"' in content
    assert 'href="/admin/batches/batchlimits/"' in content
    assert f'href="{ERRORS}"' not in content
