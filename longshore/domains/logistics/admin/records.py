"""The base class of the admin of logistics records."""

from typing import Any

from django.http import HttpRequest

from longshore.domains.admin.records import RecordAdmin
from longshore.domains.logistics.models.base import Record


class LogisticsAdmin(RecordAdmin):
    """Pages of logistics records, which store who changed them."""

    editable = (("organization", "external_id"), "metadata")
    computed = (("id", "search_text"), ("created_at", "updated_at", "updated_by"))

    def save_model(self, request: HttpRequest, obj: Record, form: Any, change: bool) -> None:
        obj.updated_by = request.user.get_username()
        super().save_model(request, obj, form, change)


def texts_of(value: Any, *keys: str) -> list[str]:
    """Return the non-empty texts under some keys of a JSON object; nothing for other values.

    JSON columns may contain any JSON value, for example after an import.
    """
    members = [value.get(key) for key in keys] if isinstance(value, dict) else []
    return [text for text in members if isinstance(text, str) and text]
