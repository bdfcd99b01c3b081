"""The buttons of exports and the actions on several of them, and why an export failed."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db import IntegrityError
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from batches.admin.failures import FAILURES as BATCH_FAILURES
from batches.errors import BatchErrorCode
from exports.admin.builder.actions import ExportActions
from exports.admin.failures import FAILURES
from exports.errors import ExportErrorCode
from exports.execution import runner
from exports.lifecycle.limits import too_many_records
from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export, ExportLimits, Status
from longshore.accounts.admin.base import StaffModelAdmin
from longshore.accounts.models import AuditEntry, Organization
from longshore.accounts.roles import Role
from longshore.files.storage import file_storage
from longshore.jobs.admin import selected
from longshore.jobs.errors import JobErrorCode
from longshore.resources.registry import Registry, Resource
from tests.awkward.test_readers import replaced
from tests.claims import claim
from tests.exports.conftest import export_of
from tests.exports.test_admin import change, page
from tests.factories import SubscriptionFactory
from tests.records import copies
from webhooks.models import Subscription

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("static_files", "storage"),
]
LIST = "/admin/exports/export/"


@pytest.fixture
def manager(db: None) -> Client:
    """A user who may do everything with exports; not a superuser."""
    user = User.objects.create_user("manager", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="exports"))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def completed(queued: Export) -> Export:
    runner.run(queued.pk)
    queued.refresh_from_db()
    return queued


def make(organization: Organization, **values: Any) -> Export:
    return export_of(organization, {"resource": "contact"}, **values)


def press(client: Client, export: Export, button: str) -> Any:
    address = reverse(f"admin:exports_export_{button}_job", args=[export.pk])
    return client.post(address, {"_form_submitted": "on"})


def run_on(client: Client, action: str, exports: list[Export], **data: str) -> Any:
    data = {"action": action, **data}
    selected = [export.pk for export in exports]
    return client.post(LIST, data | {"_selected_action": selected}, follow=True)


def test_expiring_an_export_deletes_its_files_and_keeps_its_row(
    manager: Client, completed: Export
) -> None:
    [file] = completed.files.all()
    assert press(manager, completed, "expire").status_code == 200
    completed.refresh_from_db()
    assert completed.status == Status.EXPIRED
    assert completed.expires_at <= timezone.now()
    assert not file_storage.exists(file.storage_key)
    assert AuditEntry.objects.get().action == "expire_job"
    # The button is gone.
    assert press(manager, completed, "expire").status_code == 403


def test_the_history_says_who_canceled_an_export(manager: Client, queued: Export) -> None:
    press(manager, queued, "cancel")
    assert queued.newest_events()[-1].reason == "Canceled by the staff."
    assert "Cancel by manager" in page(manager, change(queued))


def test_the_selected_exports_are_canceled_after_a_confirmation(
    manager: Client, acme: Organization, globex: Organization
) -> None:
    exports = [make(acme), make(globex), make(acme, status=Status.FAILED)]
    content = run_on(manager, "cancel_selected", exports).content.decode()
    assert "Cancel 3 exports?" in content
    assert all(export.public_id in content for export in exports)
    assert Export.objects.filter(status=Status.CANCELED).count() == 0
    content = run_on(manager, "cancel_selected", exports, confirmed="1").content.decode()
    assert "2 exports canceled." in content
    assert f"{exports[2]}: The export is failed; it can be canceled only if" in content
    assert Export.objects.filter(status=Status.CANCELED).count() == 2
    entries = AuditEntry.objects.filter(action="cancel_selected")
    assert {entry.subject for entry in entries} == {each.public_id for each in exports[:2]}
    assert entries[0].message == "Canceled together with other selected exports."


def test_selected_exports_that_left_the_filter_meanwhile_are_reported(
    manager: Client, acme: Organization
) -> None:
    exports = [make(acme), make(acme), make(acme)]
    ended = {"status": Status.FAILED, "completed_at": timezone.now()}
    Export.objects.filter(pk=exports[0].pk).update(**ended)
    Export.objects.filter(pk=exports[1].pk).update(deleted_at=timezone.now())
    for data, text in (({}, "Cancel 2 exports?"), ({"confirmed": "1"}, "1 export canceled.")):
        address = f"{LIST}?status__exact=queued"
        keys = [export.pk for export in exports]
        form = {"action": "cancel_selected", "_selected_action": keys, **data}
        response = manager.post(address, form, follow=True)
        content = response.content.decode()
        assert text in content
        assert "1 of the selected exports does not exist any more." in content
    assert f"{exports[0]}: The export is failed; it can be canceled only if" in content
    # The list keeps its filter.
    assert response.redirect_chain == [(address, 302)]


@pytest.mark.parametrize(
    ("action", "done"), [("retry_selected", "queued again"), ("delete_jobs", "deleted")]
)
def test_the_selected_exports_are_retried_and_deleted(
    manager: Client, acme: Organization, action: str, done: str
) -> None:
    exports = [make(acme, status=Status.FAILED, completed_at=timezone.now()) for _ in range(2)]
    content = run_on(manager, action, exports, confirmed="1").content.decode()
    assert f"2 exports {done}." in content
    assert not Export.objects.visible().filter(status=Status.FAILED).exists()
    entries = AuditEntry.objects.values_list("action", flat=True)
    # The audit log shows no link to a deleted object.
    assert [*entries] == 2 * [{"delete_jobs": "delete"}.get(action, action)]


def test_the_selected_exports_are_expired(manager: Client, completed: Export) -> None:
    content = run_on(manager, "expire_selected", [completed], confirmed="1").content.decode()
    assert "1 export expired." in content
    completed.refresh_from_db()
    assert completed.status == Status.EXPIRED


@pytest.mark.usefixtures("full_log")
def test_no_export_is_expired_or_retried_without_an_audit_entry(
    manager: Client, completed: Export, acme: Organization
) -> None:
    failed = make(acme, status=Status.FAILED, completed_at=timezone.now())
    for export, verb in ((completed, "expire"), (failed, "retry")):
        with pytest.raises(IntegrityError):
            press(manager, export, verb)
        with pytest.raises(IntegrityError):
            run_on(manager, f"{verb}_selected", [export], confirmed="1")
        assert Export.objects.get(pk=export.pk).status == export.status


def test_files_retries_and_duplicates_need_the_roles_of_all_resources(
    manager: Client, completed: Export, acme: Organization, own_registry: Registry
) -> None:
    """Not only those of the exported resource: the file may include others."""
    Export.objects.filter(pk=completed.pk).update(other_resources=["group"])
    values = {"status": Status.FAILED, "completed_at": timezone.now()}
    failed = make(acme, other_resources=["group"], **values)
    replaced(own_registry, "group", roles=frozenset({Role.ADMINISTRATOR.value}))
    for export in (completed, failed):
        content = page(manager, change(export)) + page(manager, LIST)
        for name in ("download", "zip", "retry_job", "duplicate_job"):
            address = reverse(f"admin:exports_export_{name}", args=[export.pk])
            assert manager.get(address).status_code == 403
            assert address not in content
    refusal = "group needs the role Administrator."
    assert refusal in run_on(manager, "retry_selected", [failed], confirmed="1").content.decode()
    failed.refresh_from_db()
    assert failed.status == Status.FAILED
    assert not AuditEntry.objects.exists()


class HookAdmin(ExportActions, StaffModelAdmin):
    """A list of records with numbers as keys and a search."""

    search_fields = ("name",)


def test_all_that_match_a_text_are_exported_also_if_keys_are_numbers(
    own_registry: Registry, acme: Organization, admin_user: User, rf: RequestFactory
) -> None:
    own_registry.register(Resource("hook", "hooks", Subscription, search="name"))
    SubscriptionFactory.create(organization=acme, name="Dock")
    request: Any = rf.get("/", {"q": "dock"})
    request.user, request.session = admin_user, {}
    response = HookAdmin(Subscription, admin.site).export_all(request)
    assert response.url.startswith("/admin/exports/export/build/?draft=")
    [draft] = request.session["export_drafts"].values()
    assert draft["body"] == {"resource": "hook", "options": {"search": "dock"}}


def test_an_action_on_too_many_exports_is_refused(
    manager: Client, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selected, "MAX_SELECTED", 1)
    exports = [make(acme), make(acme)]
    content = run_on(manager, "cancel_selected", exports, confirmed="1").content.decode()
    assert "Select at most 1 exports at a time." in content
    assert not Export.objects.filter(status=Status.CANCELED).exists()


def test_a_viewer_runs_no_action_on_selected_exports(queued: Export) -> None:
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_export"))
    client = Client()
    client.force_login(user)
    assert "cancel_selected" not in page(client, LIST)
    run_on(client, "cancel_selected", [queued], confirmed="1")
    queued.refresh_from_db()
    assert queued.status == Status.QUEUED


def test_a_failure_says_what_happened_and_what_to_do(admin_client: Client, queued: Export) -> None:
    export = claim(export_lifecycle, queued)
    assert export is not None
    error = too_many_records(1_204_332, 1_000_000)
    export_lifecycle.fail(export, error.code, error.message)
    content = page(admin_client, change(queued))
    assert "The export has 1,204,332 records; the limit is 1,000,000." in content
    assert "Raise the limit of the organization" in content
    assert f"/admin/exports/exportlimits/add/?organization={queued.organization_id}" in content
    ExportLimits.objects.create(organization=queued.organization, records=1_000_000)
    content = page(admin_client, change(queued))
    assert f"/admin/exports/exportlimits/{queued.organization_id}/change/" in content


def test_a_failure_offers_only_what_the_person_may_do(queued: Export) -> None:
    export = claim(export_lifecycle, queued)
    assert export is not None
    export_lifecycle.time_out(export, 1)
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_export"))
    client = Client()
    client.force_login(user)
    content = page(client, change(queued))
    assert "The export was not finished within its time limit." in content
    assert "admin-step" not in content.partition("admin-failure")[2].partition("</section>")[0]


def test_only_people_who_may_change_the_limits_are_offered_it(queued: Export) -> None:
    error = {"error": "too_many_records", "message": "The export has 12 rows; the limit is 10."}
    Export.objects.update(status=Status.FAILED, error=error)
    ExportLimits.objects.create(organization=queued.organization, records=10)
    user = User.objects.create_user("viewer", is_staff=True)
    client = Client()
    client.force_login(user)
    viewing = ["view_export", "view_organization"]
    user.user_permissions.set(Permission.objects.filter(codename__in=viewing))
    content = page(client, change(queued))
    assert "Limits of the organization" in content
    assert "Change the limits" not in content
    user.user_permissions.add(Permission.objects.get(codename="change_exportlimits"))
    assert "Change the limits" in page(client, change(queued))


def test_every_code_with_which_a_job_can_fail_has_advice() -> None:
    only_responses = {
        *(ExportErrorCode.EXPORT_NOT_READY, ExportErrorCode.EXPORT_EXPIRED),
        *(ExportErrorCode.TOO_MANY_EXPORTS, BatchErrorCode.TOO_MANY_MAPPINGS),
        *(BatchErrorCode.BATCH_EXPIRED, BatchErrorCode.BATCH_NOT_READY),
        *(BatchErrorCode.UNDO_EXPIRED, BatchErrorCode.TOO_MANY_BATCHES),
    }
    assert {*JobErrorCode, *ExportErrorCode} - only_responses <= set(FAILURES)
    assert {*JobErrorCode, *BatchErrorCode} - only_responses <= set(BATCH_FAILURES)


def test_the_number_of_queries_of_a_page_does_not_grow_with_the_export(
    admin_client: Client,
    completed: Export,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    page(admin_client, change(completed))
    with django_assert_max_num_queries(30) as before:
        page(admin_client, change(completed))
    [file] = completed.files.all()
    copies(file, 20, id="id + n", name="name || n", storage_key="storage_key || n")
    [*_, event] = completed.events.all()
    copies(event, 20, id="id + n")
    with django_assert_max_num_queries(len(before)):
        assert "Download all (21)" in page(admin_client, change(completed))
