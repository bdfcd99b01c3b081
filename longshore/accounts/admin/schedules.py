"""Admin of periodic tasks and their schedules, in the style of Unfold."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, cast

from django import forms
from django.apps import apps
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet, TextChoices
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django_celery_beat.admin import ClockedScheduleAdmin as BaseClockedScheduleAdmin
from django_celery_beat.admin import CrontabScheduleAdmin as BaseCrontabScheduleAdmin
from django_celery_beat.admin import PeriodicTaskAdmin as BasePeriodicTaskAdmin
from django_celery_beat.admin import PeriodicTaskForm as BasePeriodicTaskForm
from django_celery_beat.admin import PeriodicTaskInline as BasePeriodicTaskInline
from django_celery_beat.admin import TaskSelectWidget as BaseTaskSelectWidget
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from django_htmx.http import HttpResponseClientRedirect
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from longshore.accounts.admin.base import StaffModelAdmin, StaffTabularInline
from longshore.accounts.admin.dialogs import confirmation
from longshore.accounts.admin.presentation import EMPTY, exact_time, relative_and_exact_time

# Registered again below in the style of Unfold, except for solar schedules, which are not needed.
admin.site.unregister(
    (PeriodicTask, IntervalSchedule, CrontabSchedule, ClockedSchedule, SolarSchedule)
)
# As in the sidebar.
apps.get_app_config("django_celery_beat").verbose_name = "Schedules"


class TaskSelectWidget(UnfoldAdminSelectWidget, BaseTaskSelectWidget):
    pass


class Rhythm(TextChoices):
    """When a task runs. The values are the names of the fields with the schedules."""

    INTERVAL = "interval", "At an interval"
    CRONTAB = "crontab", "At times of the clock"
    CLOCKED = "clocked", "Once"


class PeriodicTaskForm(BasePeriodicTaskForm):
    """Sets one of the schedules of a task, and no other one."""

    rhythm = forms.ChoiceField(label="Runs", choices=Rhythm.choices, widget=UnfoldAdminSelectWidget)

    class Meta(BasePeriodicTaskForm.Meta):
        labels: ClassVar = {
            "interval": "Interval",
            "crontab": "Crontab",
            "clocked": "Time",
            "start_time": "Not before",
            "one_off": "Only once",
            "args": "Positional arguments",
            "kwargs": "Keyword arguments",
            "expires": "Expires at",
            "expire_seconds": "Expires after seconds",
        }
        help_texts: ClassVar = {
            "name": "For lists. Unique.",
            "description": "",
            "enabled": "Beat starts the task.",
            "interval": "Beat starts the task again after this time.",
            "crontab": "Beat starts the task at these minutes, hours and days.",
            "clocked": "Beat starts the task at this time, and never again.",
            "start_time": "Beat does not start the task before this time.",
            "one_off": "After its next run, beat disables the task.",
            "args": 'A list in JSON, such as ["one", 2].',
            "kwargs": 'An object in JSON, such as {"name": "one"}.',
            "expires": "A worker that receives the task later does not run it.",
            "expire_seconds": "The same, counted from each start.",
            "queue": "Empty: the queue of the task in the settings.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        task, registered = self.fields["task"], self.fields["regtask"]
        task.widget, registered.widget = UnfoldAdminTextInputWidget(), TaskSelectWidget()
        task.label, registered.label = "Name of the task", "Task"
        registered.help_text = "Without one, enter the name of a task of another application."
        if self.instance.task in dict(registered.widget.choices):
            registered.initial = self.instance.task
        # Without the permission to change tasks, the form has no fields of the model.
        for name in {"description", "args", "kwargs"} & {*self.fields}:
            self.fields[name].widget.attrs["rows"] = 3
        used = [each for each in Rhythm if getattr(self.instance, f"{each}_id")]
        self.fields["rhythm"].initial = next(iter(used), Rhythm.INTERVAL)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        rhythm = cleaned.get("rhythm")
        if rhythm:
            cleaned.update(dict.fromkeys(set(Rhythm) - {rhythm}))
            if rhythm == Rhythm.CLOCKED:
                cleaned["one_off"] = True
            if cleaned.get(rhythm) is None and rhythm not in self.errors:
                self.add_error(rhythm, "Select a schedule, or add one.")
        return cleaned

    def validate_unique(self) -> None:
        """Check the schedules only if the form has no error: that of the package names no field."""
        if not self.errors:
            super().validate_unique()


class PeriodicTaskInline(BasePeriodicTaskInline, StaffTabularInline):
    pass


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(BasePeriodicTaskAdmin, StaffModelAdmin):
    """Tasks that beat sends to the workers. Solar schedules are not offered."""

    organization_path = None
    audits_values = True
    form = PeriodicTaskForm
    # The template of the package has an inline script, which the content security policy forbids.
    change_form_template = None
    date_hierarchy = None
    list_display = ("name", "rhythm", "last_run", "next_run", "enabled")
    list_filter = ("enabled",)
    list_fullwidth = True
    ordering = ("name",)
    sortable_by = ("name", "last_run")
    actions = ("enable_tasks", "disable_tasks", "run_tasks")
    actions_detail = ("run_now",)
    readonly_fields = ("last", "next")
    conditional_fields: ClassVar = {
        "task": "!regtask",
        **{each.value: f"rhythm === '{each}'" for each in Rhythm},
        "one_off": f"rhythm !== '{Rhythm.CLOCKED}'",
    }
    fieldsets = (
        (None, {"fields": ("name", "description", "regtask", "task", "enabled")}),
        (
            "Schedule",
            {"fields": ("rhythm", *Rhythm.values, "start_time", "one_off", ("last", "next"))},
        ),
        ("Arguments", {"fields": ("args", "kwargs"), "classes": ("tab",)}),
        (
            "Delivery",
            {"fields": (("expires", "expire_seconds"), "queue"), "classes": ("tab",)},
        ),
    )

    @admin.action(description="Enable", permissions=["change"])
    @transaction.atomic
    def enable_tasks(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> None:
        tasks = list(queryset)
        super().enable_tasks(request, queryset)
        self.log_changes(request, tasks, "Enabled.")

    @admin.action(description="Disable", permissions=["change"])
    @transaction.atomic
    def disable_tasks(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> None:
        tasks = list(queryset)
        super().disable_tasks(request, queryset)
        self.log_changes(request, tasks, "Disabled.")

    @admin.action(description="Run now", permissions=["change"])
    def run_tasks(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> None:
        tasks = list(queryset)
        self.celery_app.loader.import_default_modules()
        # If one of the tasks is unknown, none is sent. The entries are committed first: if the
        # broker fails between two tasks, the first one was sent and must be recorded.
        if all(each.task in self.celery_app.tasks for each in tasks):
            self.log_changes(request, tasks, "Asked the workers to run it.")
        super().run_tasks(request, queryset)

    @action(
        description="Run now",
        icon="play_arrow",
        permissions=["change"],
        dialog=confirmation(
            "Run this task now?", "A worker runs it once. Its schedule does not change.", "Run now"
        ),
    )
    def run_now(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        tasks = self.by_key(self.get_queryset(request), object_id)
        if not tasks.exists():
            raise Http404
        self.run_tasks(request, tasks)
        page = reverse("admin:django_celery_beat_periodictask_change", args=[object_id])
        return HttpResponseClientRedirect(page)

    @display(description="Runs")
    def rhythm(self, task: PeriodicTask) -> str:
        if task.crontab:
            return str(task.crontab.human_readable)
        if task.clocked:
            return f"Once, at {exact_time(task.clocked.clocked_time)}"
        return capfirst(str(task.interval)) if task.interval else EMPTY

    @display(description="Last run", ordering="last_run_at", header=True)
    def last_run(self, task: PeriodicTask) -> tuple[str, str]:
        last = task.last_run_at
        return relative_and_exact_time(last) if last else ("Not yet", "")

    @display(description="Next run", header=True)
    def next_run(self, task: PeriodicTask) -> tuple[str, str]:
        return relative_and_exact_time(_next_run(task))

    @display(description="Last run")
    def last(self, task: PeriodicTask) -> str:
        return exact_time(task.last_run_at)

    @display(description="Next run")
    def next(self, task: PeriodicTask) -> str:
        return exact_time(_next_run(task))


def _next_run(task: PeriodicTask) -> datetime | None:
    """Return when a task is due; None if it is disabled or has no schedule."""
    now = timezone.now()
    if not task.enabled or task.scheduler is None:
        return None
    if task.clocked:
        return cast("datetime", task.clocked.clocked_time)
    remaining: timedelta = task.schedule.remaining_estimate(task.last_run_at or now)
    return now + max(remaining, timedelta())


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(StaffModelAdmin):
    organization_path = None
    inlines = (PeriodicTaskInline,)


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(BaseCrontabScheduleAdmin, StaffModelAdmin):
    organization_path = None
    inlines = (PeriodicTaskInline,)


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(BaseClockedScheduleAdmin, StaffModelAdmin):
    organization_path = None
    inlines = (PeriodicTaskInline,)
