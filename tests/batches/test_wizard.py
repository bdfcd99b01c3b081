"""The batch wizard: permissions, binding, and each step by its forms."""

import html
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from batches.admin.wizard.bodies import MAX_HEADERS, body_of, for_another_file
from batches.lifecycle import undo, uploads
from batches.lifecycle.transitions import batch_lifecycle
from batches.models import Batch
from longshore.accounts.models import AuditEntry, Organization
from longshore.accounts.roles import Role
from longshore.api.errors import ApiError
from longshore.domains.commerce.models import Sku
from longshore.domains.logistics.models import Contact
from longshore.jobs import actions, maintenance
from longshore.jobs.statuses import Status
from longshore.resources.registry import Registry
from tests.awkward.test_readers import replaced
from tests.batches.running import created, files_of, post_file, run
from tests.batches.test_admin import signed_in
from tests.conftest import KeyClient
from tests.exports.conftest import storage
from tests.members import bind

__all__ = ["storage"]
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("static_files", "storage"),
]
PAGE = "/admin/batches/batch/wizard/"
PERMISSIONS = ("view_batch", "add_batch", "preview_batch", "download_batch")
CSV = "Full name;E-mail;is_primary\nZoë;zoe@example.org;true\nŁukasz;lukasz@;perhaps\n"
HEADERS = ["Full name", "E-mail", "is_primary"]
TARGETS = ["name", "email", "is_primary"]


@pytest.fixture
def operator(db: None) -> Client:
    return signed_in("operator", *PERMISSIONS)


@pytest.fixture
def bound(acme: Organization) -> Client:
    """A person who sees nothing but Acme."""
    client = signed_in("bound", *PERMISSIONS)
    bind(User.objects.get(username="bound"), [acme])
    return client


def upload(client: Client, owner: Organization, content: str | bytes = CSV, **data: Any) -> Any:
    """Post the form of the first step with a file."""
    body = content.encode() if isinstance(content, str) else content
    form = {"organization": owner.pk, "resource": "contact", **data}
    return client.post(PAGE, {"file": SimpleUploadedFile("people.csv", body), **form})


def draft_of(client: Client, organization: Organization, content: str = CSV, **data: Any) -> Batch:
    response = upload(client, organization, content, **data)
    assert response.status_code == 302, response.content.decode()[:2000]
    batch = Batch.objects.get()
    assert response.url == step(batch, "mapping")
    return batch


def step(batch: Batch, name: str) -> str:
    return reverse(f"admin:batches_batch_wizard_{name}", args=[batch.pk])


def mapped(**data: Any) -> dict[str, Any]:
    """Return the form of the mapping."""
    return {
        "headers": json.dumps(HEADERS),
        "target": TARGETS,
        "action": "merge",
        "only": "",
        "duplicate_handling": "ignore_all",
        "on_error": "skip",
        "decimal_separator": ".",
        "unescape_formulas": "on",
        **data,
    }


def checked(client: Client, batch: Batch, **data: Any) -> Batch:
    """Post the mapping, and run the dry run."""
    response = client.post(step(batch, "mapping"), mapped(**data))
    assert response.status_code == 302, response.content.decode()
    found = re.search(r"/wizard/(\d+)/checks/", response.url)  # type: ignore[attr-defined]
    assert found
    return run(Batch.objects.get(pk=int(found[1])))


def text(response: Any) -> str:
    assert response.status_code == 200, response.status_code
    content: str = response.content.decode()
    return content


# --- Who may do what ------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["add_batch", "view_batch"])
def test_people_without_a_permission_cannot_open_the_wizard(
    operator: Client, acme: Organization, missing: str
) -> None:
    batch = draft_of(operator, acme)
    client = signed_in("other", *(set(PERMISSIONS) - {missing}))
    addresses = [PAGE, *(step(batch, name) for name in ("mapping", "checks", "changes"))]
    assert [client.get(each).status_code for each in addresses] == [403] * 4
    assert [client.post(each).status_code for each in addresses] == [403] * 4
    assert client.post(step(batch, "preview")).status_code == 403
    assert client.get(f"{PAGE}organizations/").status_code == 403


def test_nothing_of_another_organization_exists_for_a_bound_person(
    operator: Client, bound: Client, globex: Organization
) -> None:
    batch = draft_of(operator, globex)
    names = ("mapping", "checks", "changes")
    assert [bound.get(step(batch, name)).status_code for name in names] == [404] * 3
    assert [bound.post(step(batch, name)).status_code for name in names] == [404] * 3
    assert bound.post(step(batch, "preview"), mapped()).status_code == 404
    assert bound.get(PAGE, {"from": batch.public_id}).status_code == 404
    assert "Globex" not in text(bound.get(f"{PAGE}organizations/", {"term": "glob"}))
    page = text(upload(bound, globex))
    assert "Choose the organization" in page
    assert "Globex" not in page
    assert Batch.objects.count() == 1


def test_people_who_may_not_preview_see_no_row(acme: Organization) -> None:
    client = signed_in("careful", "view_batch", "add_batch")
    batch = draft_of(client, acme)
    assert "zoe@example.org" not in text(client.get(step(batch, "mapping")))
    assert "zoe@example.org" not in text(client.post(step(batch, "preview"), mapped()))
    dry_run = checked(client, batch)
    assert "Łukasz" not in text(client.get(step(dry_run, "checks")))
    assert "zoe@example.org" not in text(client.get(step(dry_run, "changes")))
    assert not AuditEntry.objects.filter(action="preview").exists()


def test_people_without_a_role_of_the_resource_see_and_read_no_row(
    operator: Client, acme: Organization, own_registry: Registry
) -> None:
    dry_run = checked(operator, draft_of(operator, acme))
    AuditEntry.objects.all().delete()
    replaced(own_registry, "contact", roles=frozenset({Role.ADMINISTRATOR.value}))
    for name in ("mapping", "checks", "changes"):
        content = text(operator.get(step(dry_run, name)))
        assert "zoe@example.org" not in content
        assert "lukasz@" not in content
    assert "zoe@example.org" not in text(operator.post(step(dry_run, "preview"), mapped()))
    assert operator.post(step(dry_run, "checks")).status_code == 403
    refusal = "contact needs the role Administrator."
    assert refusal in text(operator.post(step(dry_run, "mapping"), mapped()))
    assert refusal in operator.post(step(dry_run, "changes")).content.decode()
    assert refusal in text(upload(operator, acme))
    assert Batch.objects.count() == 1
    assert not AuditEntry.objects.exists()


def test_the_list_and_the_page_of_a_dry_run_lead_to_the_wizard(
    operator: Client, acme: Organization
) -> None:
    assert f'href="{PAGE}"' in text(operator.get("/admin/batches/batch/"))
    batch = draft_of(operator, acme)
    page = reverse("admin:batches_batch_change", args=[batch.pk])
    assert step(batch, "mapping") in text(operator.get(page))
    assert step(batch, "checks") in text(
        operator.get(reverse("admin:batches_batch_change", args=[checked(operator, batch).pk]))
    )


# --- Upload ---------------------------------------------------------------------------------------


def test_an_upload_creates_a_draft_that_nobody_runs(operator: Client, acme: Organization) -> None:
    batch = draft_of(operator, acme)
    assert (batch.status, batch.is_draft, batch.dry_run) == (Status.REQUESTED, True, True)
    assert batch.input_name == "people.csv"
    Batch.objects.update(created_at=timezone.now() - timedelta(minutes=5))
    uploads.check_all()
    batch.refresh_from_db()
    assert batch.status == Status.REQUESTED
    [entry] = AuditEntry.objects.filter(action="add")
    assert (entry.username, entry.object_id) == ("operator", str(batch.pk))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"organization": ""}, "Choose the organization"),
        ({"resource": "nothing"}, "Choose the resource of the rows."),
        ({"file": ""}, "Choose a file."),
    ],
)
def test_an_incomplete_form_is_explained(
    operator: Client, acme: Organization, data: dict[str, str], message: str
) -> None:
    assert message in text(upload(operator, acme, **data))
    assert not Batch.objects.exists()


def test_the_script_sends_the_file_to_a_link_of_longshore_itself(
    operator: Client, acme: Organization
) -> None:
    form = {"organization": acme.pk, "resource": "contact", "announced": "../päople.csv"}
    response = operator.post(PAGE, form).json()
    batch = Batch.objects.get()
    assert batch.input_name == "päople.csv"
    assert response["upload"].startswith("/v1/batches/uploads/")
    assert "The file has not arrived" in text(operator.get(response["next"]))
    client = APIClient()
    sent = client.put(response["upload"], CSV.encode(), content_type="text/csv")
    assert sent.status_code == 204
    batch.refresh_from_db()
    assert (batch.status, batch.input_bytes) == (Status.REQUESTED, len(CSV.encode()))
    assert batch.expires_at > timezone.now() + timedelta(minutes=59)
    again = client.put(response["upload"], b"name\n", content_type="text/csv")
    assert again.status_code == 409
    assert "zoe@example.org" in text(operator.get(response["next"]))


def test_the_script_gets_the_problems_by_their_controls(
    operator: Client, acme: Organization
) -> None:
    response = operator.post(PAGE, {"announced": "people.csv", "organization": acme.pk})
    assert response.status_code == 400
    assert list(response.json()["problems"]) == ["resource"]


def test_a_draft_that_nobody_checks_expires_with_its_file(
    operator: Client, acme: Organization
) -> None:
    batch = draft_of(operator, acme)
    Batch.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    maintenance.expire(batch_lifecycle)
    batch.refresh_from_db()
    assert batch.status == Status.EXPIRED
    assert "Nobody checked the file" in batch.reason


def test_a_quota_refuses_an_upload(operator: Client, acme: Organization, settings: Any) -> None:
    settings.BATCH_MAX_UNFINISHED = 1
    draft_of(operator, acme)
    assert "are unfinished" in text(upload(operator, acme))
    assert Batch.objects.count() == 1


def test_a_file_that_is_too_large_is_refused_before_its_upload(
    operator: Client, acme: Organization, settings: Any
) -> None:
    settings.BATCH_MAX_BYTES = 10
    form = {"organization": acme.pk, "resource": "contact", "announced": "a.csv", "size": "11"}
    response = operator.post(PAGE, form)
    assert response.status_code == 400
    assert list(response.json()["problems"]) == ["file"]
    assert operator.post(PAGE, form | {"size": "10"}).status_code == 200


def test_a_canceled_upload_is_discarded_and_not_retried(
    operator: Client, bound: Client, globex: Organization
) -> None:
    form = {"organization": globex.pk, "resource": "contact", "announced": "a.csv"}
    address = operator.post(PAGE, form).json()["discard"]
    assert bound.post(address).status_code == 404
    assert operator.get(address).status_code == 405
    assert operator.post(address).status_code == 204
    batch = Batch.objects.get()
    assert batch.status == Status.CANCELED
    with pytest.raises(ApiError, match="an upload that nobody checked"):
        actions.retry(batch_lifecycle, batch)


def test_a_canceled_draft_with_its_file_is_not_retried(
    operator: Client, acme: Organization
) -> None:
    batch = draft_of(operator, acme)
    actions.cancel(batch_lifecycle, batch)
    batch.refresh_from_db()
    with pytest.raises(ApiError, match="an upload that nobody checked"):
        actions.retry(batch_lifecycle, batch)


def test_a_draft_is_not_the_batch_of_an_equal_request(
    operator: Client, alice: KeyClient, acme: Organization
) -> None:
    draft = draft_of(operator, acme, "name\nAda\n")
    request: dict[str, Any] = {"mode": "async", "dry_run": True, "dedupe": True}
    batch = created(post_file(alice, "name\nAda\n", **request))
    assert batch.spec == draft.spec
    assert batch.pk != draft.pk


# --- Mapping --------------------------------------------------------------------------------------


def test_the_mapping_proposes_columns_and_shows_samples(
    operator: Client, acme: Organization
) -> None:
    page = text(operator.get(step(draft_of(operator, acme), "mapping")))
    assert re.search(r'<option value="email" selected', page)
    assert "Proposed:" in page
    assert "<span>zoe@example.org</span>" in page
    assert "Semicolon" in page
    [entry] = AuditEntry.objects.filter(action="preview")
    assert entry.message.startswith("Previewed people.csv")


def test_the_preview_follows_the_posted_mapping(operator: Client, acme: Organization) -> None:
    batch = draft_of(operator, acme)
    page = text(operator.post(step(batch, "preview"), mapped(timezone="Mars")))
    assert 'id="bw-error-timezone" hx-swap-oob="true">' in page
    assert "Mars" in page
    page = text(operator.post(step(batch, "preview"), mapped(target=["name", "name", ""])))
    assert "E-mail" in page
    assert "problems" in page
    assert batch.dry_run_records.count() == 0


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"target": ["name", "nothing", ""]}, "&#x27;nothing&#x27; is not a column of contact"),
        ({"on_error": "max_errors", "max_errors": "many"}, "on_error must be"),
        ({"datetime_format": "HH"}, "cannot be read"),
        ({"action": "burn"}, "is not a valid action"),
    ],
)
def test_a_refused_request_is_explained_and_starts_nothing(
    operator: Client, acme: Organization, data: dict[str, Any], message: str
) -> None:
    batch = draft_of(operator, acme)
    page = text(operator.post(step(batch, "mapping"), mapped(**data)))
    assert message in page
    # The form keeps what was chosen.
    assert ">Full name</label>" in page
    batch.refresh_from_db()
    assert batch.status == Status.REQUESTED


def test_another_dialect_has_other_headers(operator: Client, acme: Organization) -> None:
    batch = draft_of(operator, acme)
    page = text(operator.get(step(batch, "mapping"), {"delimiter": "bar", "quote": "none"}))
    assert "Full name;E-mail;is_primary" in page


def test_a_file_that_cannot_be_read_is_explained(operator: Client, acme: Organization) -> None:
    batch = draft_of(operator, acme, "%PDF-1.7")
    assert "The file is a PDF document." in text(operator.get(step(batch, "mapping")))


def test_headers_beyond_the_maximum_are_named(operator: Client, acme: Organization) -> None:
    headers = ",".join(f"c{number}" for number in range(MAX_HEADERS + 1))
    cells = ",".join("1" for _ in range(MAX_HEADERS + 1))
    batch = draft_of(operator, acme, f"{headers}\n{cells}\n")
    page = text(operator.get(step(batch, "mapping")))
    assert f"This page maps the first {MAX_HEADERS}" in page


def test_a_draft_becomes_the_dry_run_of_the_posted_request(
    operator: Client, acme: Organization
) -> None:
    batch = draft_of(operator, acme)
    dry_run = checked(operator, batch, only="create")
    assert dry_run.pk == batch.pk
    assert dry_run.request["mapping"] == dict(zip(HEADERS, TARGETS, strict=True))
    assert (dry_run.request["dry_run"], dry_run.request["only"]) == (True, "create")
    assert (dry_run.created_count, dry_run.failed_count) == (1, 1)
    assert not Contact.objects.exists()


def test_another_mapping_of_a_checked_file_is_another_dry_run(
    operator: Client, acme: Organization
) -> None:
    first = checked(operator, draft_of(operator, acme))
    second = checked(operator, first, target=["name", "", ""])
    assert second.pk != first.pk
    assert second.input_key != first.input_key
    assert second.input_sha256 == first.input_sha256
    assert (second.created_count, second.failed_count) == (2, 0)
    actions.delete(batch_lifecycle, first)
    batch_lifecycle.delete_files(first)
    assert checked(operator, second).failed_count == 1


def test_a_header_with_a_line_break_is_mapped(operator: Client, acme: Organization) -> None:
    batch = draft_of(operator, acme, '"Full\r\nname"\nZoë\n')
    page = text(operator.get(step(batch, "mapping")))
    [headers] = re.findall(r'name="headers" value="([^"]*)"', page)
    names = html.unescape(headers)
    # As browsers send it.
    assert "\n" not in names
    dry_run = checked(operator, batch, headers=names, target=["name"])
    assert (dry_run.created_count, dry_run.failed_count) == (1, 0), dry_run.error


@pytest.mark.parametrize(
    "data",
    [
        {"headers": "no JSON"},
        {"headers": '["a\\u0000"]', "target": ["name"]},
        {"target": ["name", "a\0b", ""]},
        {"target": ["name"]},
    ],
)
def test_a_form_that_the_page_cannot_send_is_refused(
    operator: Client, acme: Organization, data: dict[str, Any]
) -> None:
    batch = draft_of(operator, acme)
    for name in ("mapping", "preview"):
        assert operator.post(step(batch, name), mapped(**data)).status_code == 400
    batch.refresh_from_db()
    assert batch.status == Status.REQUESTED


def test_an_undo_has_no_mapping(operator: Client, alice: KeyClient, acme: Organization) -> None:
    batch = run(created(post_file(alice, "name\nAda\n", mode="async")))
    reversal, _ = undo.create(batch, None)
    assert operator.get(step(reversal, "mapping")).status_code == 404
    assert operator.post(step(reversal, "preview"), mapped()).status_code == 404


def test_headers_that_the_page_does_not_show_keep_their_columns() -> None:
    names = [f"c{number}" for number in range(MAX_HEADERS)]
    form = QueryDict(mutable=True)
    form["headers"] = json.dumps(names)
    form.setlist("target", ["name"] * MAX_HEADERS)
    request = {"resource": "contact", "mapping": {"c0": "email", "last": "phone"}}
    mapping = body_of(form, request)["mapping"]
    assert (len(mapping), mapping["c0"], mapping["last"]) == (MAX_HEADERS + 1, "name", "phone")
    form["delimiter"] = "tab"
    assert len(body_of(form, request)["mapping"]) == MAX_HEADERS


def test_another_dialect_drops_the_corrections(operator: Client, acme: Organization) -> None:
    first = checked(operator, draft_of(operator, acme))
    operator.post(step(first, "checks"), {"page": "1", "cell.2.2": "false"})
    second = run(Batch.objects.order_by("-pk")[0])
    assert "1 corrected row stays" in text(operator.get(step(second, "mapping")))
    page = text(operator.get(step(second, "mapping"), {"quote": "none"}))
    assert "The 1 corrected row of the earlier checks is not used" in page
    third = checked(operator, second, quote="none")
    assert "corrections" not in third.request


def test_another_file_is_read_anew(
    operator: Client, alice: KeyClient, acme: Organization, globex: Organization
) -> None:
    request: dict[str, Any] = {
        "csv": {"delimiter": ";", "unescape_formulas": False},
        "format": "csv",
    }
    corrections = {"1": {"name": "Zoë"}}
    content = "name;email\nAda;a@example.org\n"
    batch = run(created(post_file(alice, content, corrections=corrections, **request)))
    upload(operator, acme, "[]", **{"from": batch.public_id})
    draft = Batch.objects.order_by("-pk")[0]
    assert not {"corrections", "format"} & set(draft.request)
    assert draft.request["csv"] == {"unescape_formulas": False}


def test_a_saved_mapping_is_not_used_for_another_organization(
    operator: Client, acme: Organization, globex: Organization
) -> None:
    request = {"resource": "contact", "mapping_name": "people"}
    assert for_another_file(request, is_same_organization=True)["mapping_name"] == "people"
    assert "mapping_name" not in for_another_file(request, is_same_organization=False)


# --- Checks ---------------------------------------------------------------------------------------


def test_wrong_cells_are_marked_and_corrected_rows_are_checked_again(
    operator: Client, acme: Organization
) -> None:
    dry_run = checked(operator, draft_of(operator, acme))
    page = text(operator.get(step(dry_run, "checks")))
    assert re.search(r'name="cell.2.2" value="perhaps"[^>]*aria-invalid="true"', page)
    assert re.search(r'name="cell.2.0" value="Łukasz"(?![^>]*aria-invalid)', page)
    form = {"page": "1", "cell.2.0": "Łukasz", "cell.2.1": "l@x.org", "cell.2.2": "perhaps"}
    response = operator.post(step(dry_run, "checks"), form)
    second = run(Batch.objects.exclude(pk=dry_run.pk).get())
    assert response.url == step(second, "checks")  # type: ignore[attr-defined]
    assert second.request["corrections"] == {"2": {"E-mail": "l@x.org"}}
    assert [error.column for error in second.row_errors.all()] == ["is_primary"]
    operator.post(step(second, "checks"), form | {"cell.2.2": "false"})
    third = run(Batch.objects.order_by("-pk")[0])
    assert third.request["corrections"] == {"2": {"E-mail": "l@x.org", "is_primary": "false"}}
    assert (third.created_count, third.failed_count) == (2, 0)


def test_a_form_without_a_change_starts_nothing(operator: Client, acme: Organization) -> None:
    dry_run = checked(operator, draft_of(operator, acme))
    form = {"page": "1", "cell.2.0": "Łukasz", "cell.2.1": "lukasz@", "cell.2.2": "perhaps"}
    assert operator.post(step(dry_run, "checks"), form).status_code == 302
    assert Batch.objects.count() == 1


def test_a_text_that_cannot_be_stored_is_refused(operator: Client, acme: Organization) -> None:
    dry_run = checked(operator, draft_of(operator, acme))
    form = {"page": "1", "cell.2.0": "Łucja", "cell.2.1": "a\0b"}
    response = operator.post(step(dry_run, "checks"), form)
    assert response.status_code == 400
    assert Batch.objects.count() == 1
    page = response.content.decode()
    assert "the text cannot be stored" in page
    # The form keeps what was typed.
    assert re.search(r'name="cell.2.0" value="Łucja" class="bw-changed" data-stored="Łukasz"', page)


def test_a_quota_keeps_the_edits_of_the_form(
    operator: Client, acme: Organization, settings: Any
) -> None:
    dry_run = checked(operator, draft_of(operator, acme))
    settings.BATCH_MAX_UNFINISHED = 1
    draft = upload(operator, acme)
    assert draft.status_code == 302
    response = operator.post(step(dry_run, "checks"), {"page": "1", "cell.2.2": "false"})
    assert response.status_code == 429
    assert 'name="cell.2.2" value="false"' in response.content.decode()
    discard = step(Batch.objects.order_by("-pk")[0], "discard")
    assert operator.post(discard).status_code == 204
    response = operator.post(step(dry_run, "checks"), {"page": "1", "cell.2.2": "false"})
    assert response.status_code == 302


def test_rows_of_unfinished_checks_cannot_be_corrected(
    operator: Client, acme: Organization
) -> None:
    batch = draft_of(operator, acme)
    assert operator.post(step(batch, "mapping"), mapped()).status_code == 302
    form = {"page": "1", "cell.2.2": "false"}
    assert operator.post(step(batch, "checks"), form).status_code == 409
    client = signed_in("careful", "view_batch", "add_batch")
    assert client.post(step(batch, "checks"), form).status_code == 403


def test_a_row_is_shown_as_the_input_would_read_it(operator: Client, acme: Organization) -> None:
    rows = '\'=Ada;"a\u2028b";true;too much\nZoë;' + "x" * 1_001 + ";true;too much\n"
    dry_run = checked(operator, draft_of(operator, acme, f"Full name;E-mail;is_primary\n{rows}"))
    page = text(operator.get(step(dry_run, "checks")))
    assert 'name="cell.1.0" value="=Ada"' in page
    assert 'name="cell.1.1" value="a\u2028b"' in page
    assert 'name="cell.2.0"' not in page
    assert 'name="use.2"' not in page
    assert "too long to be corrected here" in page


def test_a_row_that_cannot_be_read_is_taken_as_its_cells_show_it(
    operator: Client, acme: Organization
) -> None:
    content = "Full name;E-mail;is_primary\nAda;ada@example.org;true;too much\n"
    dry_run = checked(operator, draft_of(operator, acme, content))
    page = text(operator.get(step(dry_run, "checks")))
    assert "Ada;ada@example.org;true;too much" in page
    form = {"use.1": "on", "cell.1.0": "Ada", "cell.1.1": "ada@example.org", "cell.1.2": "true"}
    operator.post(step(dry_run, "checks"), form)
    second = run(Batch.objects.exclude(pk=dry_run.pk).get())
    assert (second.created_count, second.failed_count) == (1, 0)


def test_the_grid_has_pages_and_a_constant_number_of_queries(
    operator: Client, acme: Organization
) -> None:
    rows = "".join(f"Person {number};p@x.org;perhaps\n" for number in range(120))
    dry_run = checked(operator, draft_of(operator, acme, f"Full name;E-mail;is_primary\n{rows}"))
    page = text(operator.get(step(dry_run, "checks"), {"page": "3"}))
    assert 'name="cell.101.0"' in page
    assert 'name="cell.100.0"' not in page
    assert "Page 3 of 3" in page
    few = checked(operator, Batch.objects.get(), target=["", "", "is_primary"])
    counts = []
    for batch in (few, dry_run):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            operator.get(step(batch, "checks"))
        counts.append(len(queries))
    assert counts[1] - counts[0] <= 2


def test_edits_of_all_pages_are_checked_together(operator: Client, acme: Organization) -> None:
    rows = "".join(f"Person {number};p@x.org;perhaps\n" for number in range(120))
    dry_run = checked(operator, draft_of(operator, acme, f"Full name;E-mail;is_primary\n{rows}"))
    checks = step(dry_run, "checks")
    form = {"page": "1", "cell.2.2": "false", "cell.3.0": "Zoë", "cell.4.0": "Ada"}
    page = text(operator.post(checks, form | {"go": "2"}))
    assert "Page 2 of 3" in page
    assert Batch.objects.count() == 1
    [carried] = re.findall(r'name="carried" value="([^"]*)"', page)
    form = {"page": "2", "carried": html.unescape(carried), "cell.60.2": "true"}
    page = text(operator.post(checks, form | {"go": "1"}))
    assert re.search(r'name="cell.3.0" value="Zoë" class="bw-changed"', page)
    [carried] = re.findall(r'name="carried" value="([^"]*)"', page)
    # The name of the third row is as in the file again.
    form = {"page": "1", "carried": html.unescape(carried), "cell.2.2": "false"}
    form |= {"cell.3.0": "Person 2", "cell.4.0": "Ada"}
    assert operator.post(checks, form).status_code == 302
    corrections = Batch.objects.order_by("-pk")[0].request["corrections"]
    assert corrections == {
        "60": {"is_primary": "true"},
        "2": {"is_primary": "false"},
        "4": {"Full name": "Ada"},
    }


@pytest.mark.parametrize("action", [{}, {"go": "1"}])
def test_more_edits_than_a_batch_may_have_are_refused_on_every_page(
    operator: Client, acme: Organization, action: dict[str, str]
) -> None:
    dry_run = checked(operator, draft_of(operator, acme))
    carried = json.dumps({str(row): {"is_primary": "true"} for row in range(1_001, 2_001)})
    form = {"page": "1", "carried": carried, "cell.2.2": "false"}
    response = operator.post(step(dry_run, "checks"), form | action)
    assert response.status_code == 400
    page = response.content.decode()
    assert "corrections has 1,001 rows, more than 1,000." in html.unescape(page)
    assert 'name="cell.2.2" value="false"' in page


@pytest.mark.parametrize("action", [{}, {"go": "1"}])
@pytest.mark.parametrize(
    "carried",
    [
        *("[]", '{"x": {}}', '{"1": 2}', '{"1": {"is_primary": 2}}', "{"),
        *('{" 5": {}}', '{"1_0": {}}', '{"+5": {}}', '{"5": {"unknown": "x"}}'),
    ],
)
def test_carried_edits_that_the_page_cannot_send_are_refused(
    operator: Client, acme: Organization, carried: str, action: dict[str, str]
) -> None:
    dry_run = checked(operator, draft_of(operator, acme))
    form = {"page": "1", "carried": carried, "cell.2.2": "false"}
    assert operator.post(step(dry_run, "checks"), form | action).status_code == 400
    assert Batch.objects.count() == 1


def test_failed_checks_are_explained(operator: Client, acme: Organization) -> None:
    dry_run = checked(operator, draft_of(operator, acme), on_error="abort")
    page = text(operator.get(step(dry_run, "checks")))
    assert "the batch writes all rows or none" in page
    assert 'name="cell.2.2"' in page
    response = operator.get(step(dry_run, "changes"))
    assert response.url == step(dry_run, "checks")  # type: ignore[attr-defined]


def test_the_file_of_failed_rows_is_mended_and_sent_with_the_same_mapping(
    operator: Client, alice: KeyClient, acme: Organization
) -> None:
    dry_run = checked(operator, draft_of(operator, acme))
    page = text(operator.get(step(dry_run, "checks")))
    assert re.search(r"/download/\?file=\d+", page)
    assert f"from={dry_run.public_id}" in page
    failed = next(text for name, text in files_of(alice, dry_run).items() if "failed" in name)
    mended = failed.replace("perhaps", "false").replace("lukasz@", "l@example.org")
    data = {"from": dry_run.public_id}
    assert upload(operator, acme, mended, **data).status_code == 302
    draft = Batch.objects.order_by("-pk")[0]
    assert draft.request["mapping"] == dry_run.request["mapping"]
    mapping_page = text(operator.get(step(draft, "mapping")))
    assert ">_errors</label>" in mapping_page
    assert "Ignore this column" in mapping_page


# --- Changes and run ------------------------------------------------------------------------------


def test_changes_show_old_and_new_values_and_the_run_writes_them(
    operator: Client, acme: Organization
) -> None:
    Sku.objects.create(organization=acme, code="A", name="Cup")
    Sku.objects.create(organization=acme, code="B", name="Jar")
    content = "code,name\nA,Mug\nC,Can\n"
    draft = draft_of(operator, acme, content, resource="sku")
    form = {"headers": '["code", "name"]', "target": ["code", "name"], "action": "overwrite"}
    dry_run = checked(operator, draft, **form)
    page = text(operator.get(step(dry_run, "changes")))
    assert "<del>Cup</del>" in page
    assert "<ins>Mug</ins>" in page
    assert re.search(r"New records.*Can", page, re.DOTALL)
    assert re.search(r"Deleted records.*Jar", page, re.DOTALL)
    assert Sku.objects.get(code="A").name == "Cup"
    # Half of the records need no confirmation.
    assert "confirm_deletes" not in page
    response = operator.post(step(dry_run, "changes"))
    batch = run(Batch.objects.exclude(pk=dry_run.pk).get())
    assert response.url == reverse("admin:batches_batch_change", args=[batch.pk])  # type: ignore[attr-defined]
    assert (batch.dry_run, batch.checked_by) == (False, dry_run)
    assert (batch.created_count, batch.updated_count, batch.deleted_count) == (1, 1, 1)
    assert dict(Sku.objects.values_list("code", "name")) == {"A": "Mug", "C": "Can"}
    entry = AuditEntry.objects.filter(action="add").order_by("-pk")[0]
    assert entry.message.startswith("Run of people.csv")


def test_a_batch_whose_file_has_been_deleted_does_not_run(
    operator: Client, acme: Organization
) -> None:
    dry_run = checked(operator, draft_of(operator, acme))
    Batch.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    response = operator.post(step(dry_run, "changes"))
    assert response.status_code == 410
    assert "The input of the batch has been deleted." in response.content.decode()
    assert Batch.objects.count() == 1
    assert "The file has been deleted" in text(operator.get(step(dry_run, "mapping")))
    assert "The file has been deleted." in text(operator.post(step(dry_run, "preview"), mapped()))


def test_a_dry_run_is_run_once(operator: Client, acme: Organization) -> None:
    dry_run = checked(operator, draft_of(operator, acme))
    first, second = (operator.post(step(dry_run, "changes")) for _ in range(2))
    batch = Batch.objects.exclude(pk=dry_run.pk).get()
    assert first.url == second.url  # type: ignore[attr-defined]
    assert AuditEntry.objects.filter(message__startswith="Run of").count() == 1
    actions.cancel(batch_lifecycle, batch)
    operator.post(step(dry_run, "changes"))
    again = run(Batch.objects.order_by("-pk")[0])
    assert (again.pk != batch.pk, again.created_count) == (True, 1)
    assert f"Open {again}" in text(operator.get(step(dry_run, "changes")))


def test_an_overwrite_that_deletes_most_records_needs_a_tick(
    operator: Client, acme: Organization
) -> None:
    for code in "ABC":
        Sku.objects.create(organization=acme, code=code, name=code)
    draft = draft_of(operator, acme, "code,name\nA,A\n", resource="sku")
    form = {"headers": '["code", "name"]', "target": ["code", "name"], "action": "overwrite"}
    dry_run = checked(operator, draft, **form)
    assert 'name="confirm_deletes"' in text(operator.get(step(dry_run, "changes")))
    response = operator.post(step(dry_run, "changes"))
    assert response.status_code == 400
    assert "Confirm the deletion" in response.content.decode()
    assert Batch.objects.count() == 1
    operator.post(step(dry_run, "changes"), {"confirm_deletes": "on"})
    batch = run(Batch.objects.exclude(pk=dry_run.pk).get())
    assert (batch.status, batch.deleted_count) == ("completed", 2)
    # The number belongs to this file.
    upload(operator, acme, "code,name\nB,B\n", resource="sku", **{"from": batch.public_id})
    draft = Batch.objects.order_by("-pk")[0]
    assert draft.request["action"] == "overwrite"
    assert "confirm_deletes" not in draft.request


def test_a_request_of_the_api_is_repeated_with_its_file(
    operator: Client, alice: KeyClient, acme: Organization
) -> None:
    batch = run(created(post_file(alice, json.dumps([{"name": "Ada"}]), name="people.json")))
    page = text(operator.get(PAGE, {"from": batch.public_id}))
    assert step(batch, "mapping") in page
    form = {"headers": '["name"]', "target": ["name"]}
    dry_run = checked(operator, batch, **form)
    assert dry_run.pk != batch.pk
    assert dry_run.dry_run


@pytest.mark.parametrize("name", ["checks", "changes"])
def test_a_batch_that_is_no_dry_run_has_no_checks(
    operator: Client, alice: KeyClient, name: str
) -> None:
    batch = created(post_file(alice, "name\nAda\n", mode="async"))
    assert operator.get(step(batch, name)).status_code == 404
