"""Pages offer a role only what it may do; other addresses return 403.

The table names every button: a new one belongs into it, with the lowest role that may press it.
"""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.test import Client
from django.urls import resolve, reverse
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from batches.models import Batch, BatchError, BatchLimits
from exports.models import ExportLimits
from longshore.accounts.models import ApiKey, AuditEntry, Organization, SecondFactor
from longshore.accounts.roles import Role
from longshore.jobs.statuses import Status
from tests.exports.conftest import export_of
from tests.factories import ContactFactory, DeliveryFactory, SubscriptionFactory
from tests.members import bind

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_files"), pytest.mark.slow]
_FORM = "add save delete menu:delete_selected"
_JOB = "cancel_job retry_job duplicate_job expire_job delete_job"
_JOBS = "menu:cancel_selected menu:retry_selected menu:expire_selected menu:delete_jobs"
# By role and model: what the pages of a role offer and those of lower roles do not. `save` is the
# button of a form, `menu:…` an action on selected records, and any other name that of an address.
BUTTONS = {
    Role.SUPPORT: {
        "exports_export": "build build_form build_preview download zip",
        "batches_batch": "download zip",
    },
    Role.OPERATOR: {
        "exports_export": f"build_presets {_JOB} {_JOBS}",
        "batches_batch": f"wizard wizard_mapping wizard_checks wizard_changes undo_batch {_JOB} "
        f"{_JOBS}",
        "exports_exportlimits": _FORM,
        "batches_batchlimits": _FORM,
        "webhooks_subscription": "add send_test recover enable disable edit rotate_secret "
        "delete_subscription",
        "webhooks_delivery": "redeliver menu:redeliver_selected",
        "longshore_accounts_organization": "add save",
        "longshore_accounts_auditentry": "changelist change history",
        "longshore_logistics_contact": f"{_FORM} export_all menu:export_selected",
        "django_celery_beat_periodictask": f"{_FORM} run_now menu:run_tasks menu:enable_tasks "
        "menu:disable_tasks",
        "django_celery_beat_intervalschedule": _FORM,
    },
    Role.ADMINISTRATOR: {
        "longshore_accounts_apikey": "add save revoke menu:revoke_selected",
        "auth_user": f"changelist change history password_change reset_second_factor {_FORM}",
        "auth_group": f"changelist change history {_FORM}",
    },
}
_ADDRESS = re.compile(r'\b(?:href|hx-get|hx-post|action|formaction)="([^"]+)"')
# These take POST only.
_FORMS = {f"exports_export_build_{name}" for name in ("form", "preview", "presets")}


def records_of(organization: Organization) -> list[Any]:
    """Create records in the states in which they have buttons."""
    now = timezone.now()
    ended = {"started_at": now, "completed_at": now, "records_count": 1}
    error = {"error": "too_many_records", "message": "The limit is 1."}
    states: list[dict[str, Any]] = [
        {"status": Status.QUEUED},
        {"status": Status.COMPLETED, "has_files": True, **ended},
        {"status": Status.FAILED, "error": error, **ended},
    ]
    exports = [export_of(organization, {"resource": "contact"}, **state) for state in states]
    batch = {
        "organization": organization,
        "resource": "contact",
        "request": {"resource": "contact"},
        "spec": {},
        "action": "merge",
        "mode": "async",
        "via": "file",
        "expires_at": now + timedelta(days=1),
        "input_key": "a",
        "input_bytes": 1,
    }
    batches = [
        Batch.objects.create(**batch | state)
        for state in (*states, states[1] | {"dry_run": True, "failed_count": 1})
    ]
    file = {"name": "a.csv", "rows": 1, "bytes": 1, "sha256": "0"}
    exports[1].files.create(storage_key="export", **file)
    for each in (batches[1], batches[-1]):
        each.files.create(storage_key=each.public_id, kind="failed", **file)
    subscriptions = [
        SubscriptionFactory.create(organization=organization, active=active)
        for active in (True, False)
    ]
    delivery = DeliveryFactory.create(subscription=subscriptions[0], status="failed")
    colleague = User.objects.create_user("colleague")
    SecondFactor.objects.create(user=colleague, secret="", last_step=0, recovery_codes=[])
    every = IntervalSchedule.objects.create(every=5, period="minutes")
    entry = {"username": "colleague", "action": "change", "subject": "Contact"}
    return [
        *(*exports, *batches, *subscriptions, delivery, organization, colleague, every),
        BatchError.objects.create(batch=batches[-1], row=1, column="name", code="too_long"),
        ExportLimits.objects.create(organization=organization),
        BatchLimits.objects.create(organization=organization),
        ApiKey.objects.create_key(organization=organization, name="Nightly")[0],
        AuditEntry.objects.create(organization=organization, **entry),
        ContactFactory.create(organization=organization),
        PeriodicTask.objects.create(name="Recover", task="exports.recover", interval=every),
        Group.objects.create(name="Night shift"),
    ]


def prefix(model: type[Model]) -> str:
    return f"{model._meta.app_label}_{model._meta.model_name}"


def pages_of(records: list[Any]) -> list[str]:
    """Return the addresses of the pages of records, of their lists, and of the wizard."""
    batch = next(each for each in records if isinstance(each, Batch) and each.dry_run)
    lists = {prefix(type(record)) for record in records}
    pages = [(prefix(type(record)), "change", record.pk) for record in records]
    pages += [("batches_batch", f"wizard_{step}", batch.pk) for step in ("checks", "changes")]
    return [
        reverse("admin:index"),
        reverse("admin:exports_export_build"),
        *(reverse(f"admin:{model}_changelist") for model in lists),
        *(reverse(f"admin:{model}_{page}", args=[key]) for model, page, key in pages),
        f"{reverse('admin:batches_batcherror_changelist')}?batch={batch.pk}",
    ]


def offered(client: Client, page: str) -> dict[str, str]:
    """Return what a page offers, by name, with addresses. Nothing if the role may not open it."""
    response = client.get(page)
    if response.status_code != 200:
        assert response.status_code in (302, 403, 404), page
        return {}
    html, found = response.content.decode(), {}
    for value in _ADDRESS.findall(html):
        address = urljoin(page, unescape(value))
        if address.startswith("/admin/") and address != "/admin/logout/":
            found[resolve(urlsplit(address).path).url_name or ""] = address
    name = resolve(urlsplit(page).path).url_name or ""
    if 'name="_save"' in html:
        found[f"{name.removesuffix('_change')}_save"] = page
    if form := response.context.get("action_form"):
        model = name.removesuffix("_changelist")
        found |= {
            f"{model}_menu:{value}": page for value, _ in form.fields["action"].choices if value
        }
    return found


def everything_offered(client: Client, pages: list[str]) -> dict[str, str]:
    return {name: address for page in pages for name, address in offered(client, page).items()}


def signed_in(role: Role) -> tuple[User, Client]:
    user = User.objects.create_user(role.value, is_staff=True)
    user.groups.add(Group.objects.get(name=role.value))
    client = Client()
    client.force_login(user)
    return user, client


def named(role: Role) -> set[str]:
    """Return the names of the table for a role."""
    models = BUTTONS.get(role, {})
    return {f"{model}_{name}" for model, names in models.items() for name in names.split()}


def refuses(client: Client, name: str, address: str) -> bool:
    """Return whether a page says that the person may not do what a button offers."""
    form = {"_form_submitted": "on", "post": "yes", "_save": "Save"}
    takes_only_post = name in _FORMS or name.endswith("_save")
    methods = (client.post,) if takes_only_post else (client.get, client.post)
    responses = [method(address, form) for method in methods]
    text = "You may not open this page"
    return all(each.status_code == 403 and text in each.content.decode() for each in responses)


def stored(records: list[Any]) -> list[Any]:
    return [type(each)._default_manager.filter(pk=each.pk).values().get() for each in records]


def test_a_role_is_offered_what_it_may_do_and_nothing_else(acme: Organization) -> None:
    """Each role has all permissions of the lower ones (`test_roles`)."""
    records = records_of(acme)
    pages, before = pages_of(records), stored(records)
    own = tuple(f"{model}_" for models in BUTTONS.values() for model in models)
    _, lower = signed_in(Role.VIEWER)
    known = everything_offered(lower, pages)
    for role in (Role.SUPPORT, Role.OPERATOR, Role.ADMINISTRATOR):
        _, client = signed_in(role)
        found = everything_offered(client, pages)
        added = {name: found[name] for name in found.keys() - known.keys()}
        assert {name for name in added if name.startswith(own)} == named(role), role
        assert known.keys() <= found.keys()
        for name, address in added.items():
            _, _, entry = name.partition("menu:")
            if entry:
                # Django ignores an action that the menu does not offer.
                keys = [each.pk for each in records if prefix(type(each)) in name]
                lower.post(address, {"action": entry, "_selected_action": keys, "post": "yes"})
            else:
                assert refuses(lower, name, address), (role, name)
                assert name in _FORMS or client.get(address).status_code in (200, 302), name
        lower, known = client, found
    assert stored(records) == before


def test_a_bound_person_is_not_offered_what_belongs_to_no_organization(acme: Organization) -> None:
    pages = pages_of(records_of(acme))
    user, client = signed_in(Role.ADMINISTRATOR)
    bind(user, [acme])
    found = everything_offered(client, pages)
    closed = ("auth_", "django_celery_beat_", "longshore_accounts_organization_add")
    assert not [name for name in found if name.startswith(closed)]
    assert client.get(reverse("admin:longshore_accounts_organization_add")).status_code == 403
    for name, address in found.items():
        assert name in _FORMS or client.get(address).status_code in (200, 302), name
