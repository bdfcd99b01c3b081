"""Nothing is changed in the admin without its entry in the audit log."""

import pytest
from celery import current_app
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from longshore.accounts.models import ApiKey, Organization, SecondFactor, StaffProfile
from longshore.domains.logistics.models import Contact
from tests.conftest import KeyClient
from tests.factories import ContactFactory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("static_files", "full_log"),
]
KEYS = "/admin/longshore_accounts/apikey/"
TASKS = "/admin/django_celery_beat/periodictask/"
SUBMIT = {"_form_submitted": "on"}
PASSWORD = "correct horse battery"  # noqa: S105 (of a test user only)


def refused(client: Client, path: str, form: dict[str, object]) -> None:
    with pytest.raises(IntegrityError):
        client.post(path, form)


@pytest.fixture
def mary(client: Client) -> User:
    """A superuser with a password and a second factor."""
    user = User.objects.create_superuser("mary", password=PASSWORD)
    SecondFactor.objects.create(user=user, secret="", last_step=0, recovery_codes=[])
    return user


def test_no_key_is_revoked(admin_client: Client, alice: KeyClient) -> None:
    api_key = ApiKey.objects.get()
    refused(admin_client, f"{KEYS}{api_key.pk}/revoke/", {**SUBMIT})
    form = {"action": "revoke_selected", "_selected_action": api_key.pk}
    refused(admin_client, KEYS, form)
    assert not ApiKey.objects.get().revoked


def test_no_second_factor_is_reset_or_turned_off(admin_client: Client, mary: User) -> None:
    refused(admin_client, f"/admin/auth/user/{mary.pk}/reset_second_factor/", {**SUBMIT})
    client = Client()
    client.force_login(mary)
    session = client.session
    session["longshore_second_factor"] = mary.second_factor.pk
    session.save()
    refused(client, reverse("staff_second_factor_off"), {"password": PASSWORD})
    assert SecondFactor.objects.exists()


def test_no_password_or_time_zone_is_changed(admin_client: Client, admin_user: User) -> None:
    new = "another horse battery"
    form = {"old_password": "password", "new_password1": new, "new_password2": new}
    refused(admin_client, "/admin/password_change/", {**form})
    admin_user.refresh_from_db()
    assert admin_user.check_password("password")
    refused(admin_client, "/admin/preferences/", {"timezone": "Europe/Berlin"})
    assert not StaffProfile.objects.exists()


def test_no_task_is_disabled_enabled_or_sent(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    current_app.loader.import_default_modules()
    name = "api.purge_idempotency_keys"
    sent: list[str] = []
    task = current_app.tasks[name]
    monkeypatch.setattr(type(task), "apply_async", lambda self, **options: sent.append(self.name))
    every = IntervalSchedule.objects.create(every=5, period="minutes")
    values = {"task": name, "interval": every}
    on = PeriodicTask.objects.create(name="On", **values)
    off = PeriodicTask.objects.create(name="Off", enabled=False, **values)
    for action in ("disable_tasks", "enable_tasks", "run_tasks"):
        form = {"action": action, "_selected_action": [on.pk, off.pk]}
        refused(admin_client, TASKS, {**form})
    refused(admin_client, f"{TASKS}{on.pk}/run_now/", {**SUBMIT})
    assert [*PeriodicTask.objects.filter(enabled=True)] == [on]
    assert not sent


def test_no_selected_record_is_deleted(admin_client: Client, acme: Organization) -> None:
    contact = ContactFactory.create(organization=acme)
    form = {"action": "delete_selected", "_selected_action": contact.pk, "post": "yes"}
    refused(admin_client, "/admin/longshore_logistics/contact/", form)
    assert Contact.objects.exists()
