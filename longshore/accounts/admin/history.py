"""Audit entries of the pages of a model: what they say, and the History page of an object."""

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.forms import PasswordInput
from django.http import HttpRequest

from longshore.accounts.admin.presentation import EMPTY, exact_time, nowrap, table
from longshore.accounts.models import NOBODY, AuditAction, AuditEntry

_MAX_VALUE_CHARACTERS = 60
_PER_PAGE = 100


def label(action: str) -> str:
    """Return `Cancel job` for `cancel_job`."""
    return action.replace("_", " ").capitalize()


def organization_id_of(record: Any, path: str | None) -> str | None:
    """Return the id of the organization at the end of a lookup path (`export__organization`)."""
    if path is None:
        return None
    *parents, last = path.split("__")
    for name in parents:
        record = getattr(record, name)
    organization_id: str = record.pk if last == "pk" else getattr(record, f"{last}_id")
    return organization_id


def action_of(request: HttpRequest, model: type[Model]) -> str:
    """Return the action that a request asks for: that of its address, or of the list's menu."""
    options, match = model._meta, request.resolver_match
    name = (match.url_name or "") if match else ""
    page = name.removeprefix(f"{options.app_label}_{options.model_name}_")
    if page == "changelist":
        return request.POST.get("action") or AuditAction.CHANGE
    return page


def text_of(message: Any, action: str) -> str:
    """Return a message as a sentence; Django's own messages are lists of changes."""
    if isinstance(message, str):
        return message
    flag = ADDITION if action == AuditAction.ADD else CHANGE
    return LogEntry(action_flag=flag, change_message=json.dumps(message)).get_change_message()


def changes(form: Any, formsets: Iterable[Any], without_values: Collection[str] = ()) -> str:
    """Return which fields of a form and of its inlines were changed, with old and new values.

    without_values: names of fields of the form whose values are left out.
    """
    texts = [*_field_changes(form, without_values)]
    for formset in formsets or ():
        for inline in formset.forms:
            if inline in formset.deleted_forms:
                texts.append(f"deleted {inline.instance}")
            elif inline.has_changed():
                texts.extend(_field_changes(inline))
    return "; ".join(texts)


def _field_changes(form: Any, without_values: Collection[str] = ()) -> Iterator[str]:
    for name in form.changed_data:
        field = form.fields.get(name)
        title = (field and field.label) or name.replace("_", " ")
        # The form of a new password reports a field that it does not have.
        is_secret = field is None or isinstance(field.widget, PasswordInput)
        if is_secret or name in without_values:
            yield str(title)
            continue
        old, new = form.initial.get(name), form.cleaned_data.get(name)
        # The initial value of a relation is a key; the new one is a record.
        before = _shown(_labels(form, name, old))
        yield f"{title}: {before} → {_shown(new)}"


def _labels(form: Any, name: str, value: Any) -> Any:
    queryset = getattr(form.fields[name], "queryset", None)
    if queryset is None or value is None or isinstance(value, list | QuerySet):
        return value
    return queryset.filter(pk=value).first()


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple | set | QuerySet):
        return _cut(", ".join(sorted(map(str, value)))) or "none"
    return "none" if value in (None, "") else _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_VALUE_CHARACTERS else f"{text[:_MAX_VALUE_CHARACTERS]}…"


def page_of(request: HttpRequest, entries: QuerySet[AuditEntry]) -> dict[str, Any]:
    """Return the context of the History page of an object that has these entries.

    The addresses are shown only to people who may read the audit log.
    """
    has_addresses = request.user.has_perm("longshore_accounts.view_auditentry")
    paginator: Paginator[AuditEntry] = Paginator(entries, _PER_PAGE)
    page = paginator.get_page(request.GET.get("p", 1))
    rows = [
        [
            nowrap(exact_time(each.created_at)),
            each.username or NOBODY,
            *([each.address or EMPTY] if has_addresses else []),
            label(each.action),
            each.message or EMPTY,
        ]
        for each in page
    ]
    headers = ["Time", "Person", *(["Address"] if has_addresses else []), "Action", "Details"]
    return {
        "action_list": page,
        "history": table("", headers, rows),
        "page_range": paginator.get_elided_page_range(page.number),
        "pagination_required": paginator.num_pages > 1,
    }
