"""Pages of records in the admin, requested as a browser does."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model, QuerySet
from django.forms import BoundField, CheckboxInput, ModelMultipleChoiceField, MultiWidget, Textarea
from django.test import Client
from django.urls import reverse


def address(model: type[Model], view: str, *arguments: str) -> str:
    options = model._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_{view}", args=arguments)


def listed(client: Client, model: type[Model], **query: str) -> list[Any]:
    response = client.get(address(model, "changelist"), query)
    assert response.status_code == 200
    return list(response.context["cl"].result_list)


def resend(client: Client, opened: Model | Any, **changes: str) -> Any:
    """Post a record's page like a browser, which converts line ends, with some changes.

    opened: the record, or the response with its page.
    changes: new values by field name, or by `<table>-<row>-<field>` for an inline table.
    """
    if isinstance(opened, Model):
        opened = client.get(address(type(opened), "change", opened.pk))
    url, context = opened.wsgi_request.path, opened.context
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    data: dict[str, Any] = {}
    for form in forms:
        for field in form:
            data |= sent(field)
    return client.post(url, data | prefixed(changes))


def prefixed(values: Mapping[str, str]) -> dict[str, str]:
    return {name if "-" in name else f"record-{name}": value for name, value in values.items()}


def sent(field: BoundField) -> dict[str, Any]:
    widget, value = field.field.widget, field.value()
    if isinstance(widget, MultiWidget):
        parts = widget.decompress(value) or []
        return {f"{field.html_name}_{n}": str(part or "") for n, part in enumerate(parts)}
    if isinstance(widget, CheckboxInput):
        return {field.html_name: "on"} if value else {}
    if isinstance(field.field, ModelMultipleChoiceField):
        return {field.html_name: [field.field.prepare_value(each) for each in value or ()]}
    text = "" if value is None else str(value)
    line_end = "\r\n" if isinstance(widget, Textarea) else ""
    return {field.html_name: line_end.join(text.replace("\r\n", "\n").split("\n"))}


def stored(record: Model) -> dict[str, Any]:
    """Return the stored values of a record, its links and parts, except who changed it last."""
    values: dict[str, Any] = dict(type(record)._default_manager.values().get(pk=record.pk))
    for field in record._meta.many_to_many:
        values[field.name] = sorted(field.value_from_object(record), key=lambda each: each.pk)
    for relation in record._meta.related_objects:
        if not hasattr(relation.related_model, "organization"):
            rows: QuerySet[Any] = relation.related_model._default_manager.filter(
                **{relation.field.name: record}
            )
            values[relation.name] = list(rows.order_by("pk").values())
    return {
        name: value for name, value in values.items() if name not in ("updated_at", "updated_by")
    }
