"""Schedules: what the list says, and the button that runs a task."""

import json
from datetime import timedelta

import pytest
from celery import current_app
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
)
from kombu.exceptions import OperationalError

from longshore.accounts.models import AuditEntry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_files")]
LIST = "/admin/django_celery_beat/periodictask/"


@pytest.fixture
def hourly() -> PeriodicTask:
    crontab = CrontabSchedule.objects.create(minute="27", timezone="UTC")
    return PeriodicTask.objects.create(
        name="Purge idempotency keys", task="api.purge_idempotency_keys", crontab=crontab
    )


def test_the_list_says_when_a_task_runs_ran_and_will_run(
    admin_client: Client, hourly: PeriodicTask
) -> None:
    every, _ = IntervalSchedule.objects.get_or_create(every=5, period="minutes")
    last = timezone.now() - timedelta(minutes=3)
    PeriodicTask.objects.create(name="Sweep", task="x", interval=every, last_run_at=last)
    PeriodicTask.objects.create(name="Off", task="x", interval=every, enabled=False)
    page = " ".join(admin_client.get(LIST).content.decode().replace("\xa0", " ").split())
    assert "At 27 minutes past the hour" in page
    assert "Every 5 minutes" in page or "every 5 minutes" in page
    assert "3 minutes ago" in page
    assert "a minute from now" in page or "2 minutes from now" in page
    assert "Not yet" in page


@pytest.mark.slow
def test_the_button_sends_the_task_to_its_queue_and_is_recorded(
    admin_client: Client, hourly: PeriodicTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    current_app.loader.import_default_modules()
    sent: list[str] = []
    task = current_app.tasks["api.purge_idempotency_keys"]
    monkeypatch.setattr(type(task), "apply_async", lambda self, **options: sent.append(self.name))
    path = reverse("admin:django_celery_beat_periodictask_run_now", args=[hourly.pk])
    assert path in admin_client.get(f"{LIST}{hourly.pk}/change/").content.decode()
    response = admin_client.post(path, {"_form_submitted": "on"})
    assert response["HX-Redirect"] == f"{LIST}{hourly.pk}/change/"
    assert sent == ["api.purge_idempotency_keys"]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject) == ("run_now", str(hourly))


def test_a_task_that_was_sent_is_recorded_even_if_the_next_one_is_not_sent(
    admin_client: Client, hourly: PeriodicTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    current_app.loader.import_default_modules()
    other = PeriodicTask.objects.create(name="B", task=hourly.task, crontab=hourly.crontab)
    sent: list[str] = []

    def send(task: object, headers: dict[str, str], **options: object) -> None:
        if sent:
            raise OperationalError("The broker is not reachable.")
        sent.append(headers["periodic_task_name"])

    monkeypatch.setattr(type(current_app.tasks[hourly.task]), "apply_async", send)
    form = {"action": "run_tasks", "_selected_action": [hourly.pk, other.pk]}
    with pytest.raises(OperationalError):
        admin_client.post(LIST, form)
    assert len(sent) == 1
    subjects = {entry.subject.partition(":")[0] for entry in AuditEntry.objects.all()}
    assert {*sent} <= subjects


@pytest.mark.slow
def test_a_task_that_no_worker_knows_is_not_recorded_as_sent(
    admin_client: Client, hourly: PeriodicTask
) -> None:
    PeriodicTask.objects.filter(pk=hourly.pk).update(task="unknown")
    path = reverse("admin:django_celery_beat_periodictask_run_now", args=[hourly.pk])
    admin_client.post(path, {"_form_submitted": "on"})
    assert not AuditEntry.objects.exists()


def test_a_malformed_key_is_not_found(admin_client: Client) -> None:
    assert admin_client.post(f"{LIST}abc/run_now/", {"_form_submitted": "on"}).status_code == 404


def test_disabled_tasks_are_recorded(admin_client: Client, hourly: PeriodicTask) -> None:
    admin_client.post(LIST, {"action": "disable_tasks", "_selected_action": [hourly.pk]})
    hourly.refresh_from_db()
    assert not hourly.enabled
    assert AuditEntry.objects.get().action == "disable_tasks"


def test_a_schedule_is_changed_in_the_form(admin_client: Client, hourly: PeriodicTask) -> None:
    path = f"{LIST}{hourly.pk}/change/"
    form = {
        "name": "Purge keys",
        "regtask": "",
        "task": hourly.task,
        "rhythm": "crontab",
        "crontab": hourly.crontab_id,
        "args": "[]",
        "kwargs": json.dumps({}),
    }
    assert admin_client.post(path, form).status_code == 302
    hourly.refresh_from_db()
    assert (hourly.name, hourly.enabled) == ("Purge keys", False)


def test_a_task_has_the_schedule_of_its_kind_only(
    admin_client: Client, hourly: PeriodicTask
) -> None:
    path = f"{LIST}{hourly.pk}/change/"
    content = admin_client.get(path).content.decode()
    assert '<option value="crontab" selected>' in content
    every = IntervalSchedule.objects.create(every=5, period="minutes")
    clocked = ClockedSchedule.objects.create(clocked_time=timezone.now())
    form = {"name": "Purge", "regtask": "", "task": hourly.task, "args": "[]", "kwargs": "{}"}
    # The form sends those that it hides, too.
    form |= {"interval": every.pk, "crontab": hourly.crontab_id}
    assert admin_client.post(path, form | {"rhythm": "interval"}).status_code == 302
    hourly.refresh_from_db()
    assert (hourly.interval, hourly.crontab, hourly.one_off) == (every, None, False)
    refused = admin_client.post(path, form | {"rhythm": "clocked"})
    assert refused.context["adminform"].form.errors == {
        "clocked": ["Select a schedule, or add one."]
    }
    form |= {"rhythm": "clocked", "clocked": clocked.pk}
    assert admin_client.post(path, form).status_code == 302
    hourly.refresh_from_db()
    assert (hourly.interval, hourly.clocked, hourly.one_off) == (None, clocked, True)
