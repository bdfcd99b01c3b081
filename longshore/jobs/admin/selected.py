"""Actions on the selected records of a list: confirmed, bounded in number and in time."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.text import capfirst

from longshore.accounts.admin.history import action_of
from longshore.accounts.models import AuditAction
from longshore.api.errors import ApiError
from longshore.jobs.admin.pages import ReadOnlyModelAdmin

# Records that one action on a list changes, and the time after which it stops.
MAX_SELECTED = 100
_MAX_SECONDS = 20
_MAX_SHOWN_REFUSALS = 3
_CONFIRMED = "confirmed"


@dataclass(frozen=True)
class Bulk:
    """An action on each of the selected records.

    name: the verb. done: its participle.
    effect: what the confirmation says, as sentences.
    operation: raises ApiError if it is not possible for a record.
    deletes_records: whether the pages of the records are gone afterwards.
    deletes_files: whether it may wait for the storage. It gets a function that stores the audit
        entry, and calls it in its own transaction. All others run in one transaction with the audit
        entry of their record.
    """

    name: str
    done: str
    effect: str
    operation: Callable[..., object]
    deletes_records: bool = False
    deletes_files: bool = False


class SelectedActions(ReadOnlyModelAdmin):
    """Base of lists with such actions, which call `run_selected`."""

    # An action changes the records that the person sees.
    list_disable_select_all = True

    def describe(self, record: Any) -> str:
        """Return what the confirmation says about a record, after its id."""
        raise NotImplementedError

    def run_selected(self, request: HttpRequest, bulk: Bulk) -> HttpResponse | None:
        """Ask for a confirmation; then run an operation on each selected record and report it.

        Reads the selection from the form: the query that Django passes to an action lacks the
        records that no longer match the filters of the list, such as one of their status.
        """
        keys = {*request.POST.getlist(ACTION_CHECKBOX_NAME)}
        if len(keys) > MAX_SELECTED:
            text = f"Select at most {MAX_SELECTED} {self.opts.verbose_name_plural} at a time."
            self.message_user(request, text, messages.ERROR)
            return None
        visible = self.get_queryset(request).select_related(*self.list_select_related)
        selected = list(visible.filter(pk__in=keys).order_by("-number"))
        if missing := len(keys) - len(selected):
            verb = "does" if missing == 1 else "do"
            plural = self.opts.verbose_name_plural
            text = f"{missing} of the selected {plural} {verb} not exist any more."
            self.message_user(request, text, messages.WARNING)
        if _CONFIRMED not in request.POST:
            return self._confirm(request, selected, bulk) if selected else None
        done, refusals = self._run_each(request, selected, bulk)
        if done:
            self.message_user(request, f"{self._count(done)} {bulk.done}.")
        for text in refusals[:_MAX_SHOWN_REFUSALS]:
            self.message_user(request, text, messages.ERROR)
        if len(refusals) > _MAX_SHOWN_REFUSALS:
            others = len(refusals) - _MAX_SHOWN_REFUSALS
            self.message_user(request, f"… and {others} more were refused.", messages.ERROR)
        return None

    def _run_each(
        self, request: HttpRequest, records: Iterable[Any], bulk: Bulk
    ) -> tuple[list[Any], list[str]]:
        """Return the records that were changed, and why others were not."""
        done: list[Any] = []
        refusals: list[str] = []
        effect = f"{bulk.done} together with other selected {self.opts.verbose_name_plural}."
        text = capfirst(effect)
        action = AuditAction.DELETE if bulk.deletes_records else action_of(request, self.model)
        # Deleting files may wait for the storage.
        end = time.monotonic() + _MAX_SECONDS
        for record in records:
            if time.monotonic() > end:
                refusals.append(
                    f"{record}: not processed, because the action stopped after {_MAX_SECONDS} s. "
                    "Select it again."
                )
                continue
            log = partial(self.record, request, action, [record], text)
            try:
                if bulk.deletes_files:
                    bulk.operation(record, log)
                else:
                    with transaction.atomic():
                        bulk.operation(record)
                        log()
            except ApiError as error:
                refusals.append(f"{record}: {error.message}")
            else:
                done.append(record)
        return done, refusals

    def _confirm(self, request: HttpRequest, records: list[Any], bulk: Bulk) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{bulk.name.capitalize()} {self._count(records)}?",
            "effect": bulk.effect,
            "records": [(each, self.describe(each)) for each in records],
            "action": request.POST["action"],
            "button": bulk.name.capitalize(),
            "is_danger": bulk.deletes_records,
            "checkbox_name": ACTION_CHECKBOX_NAME,
            "confirmed_name": _CONFIRMED,
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "admin/longshore_jobs/confirm.html", context)

    def _count(self, records: list[Any]) -> str:
        """Return `1 export` or `5 exports`."""
        options = self.opts
        name = options.verbose_name if len(records) == 1 else options.verbose_name_plural
        return f"{len(records)} {name}"
