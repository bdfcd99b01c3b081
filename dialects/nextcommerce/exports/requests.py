"""Requests about exports: the body of a new export, and the filters of the list."""

from typing import Any

from rest_framework import serializers

from longshore.resources.export_types import export_types
from longshore.resources.intervals import ISO_DATE


class ExportTypeField(serializers.ChoiceField):
    """The code of an export type. The choices are read when a serializer is created."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__([(each.code, each.name) for each in export_types.declared], **kwargs)


class DateTimeText(serializers.DateTimeField):
    """A date and time as received: without an offset, it is in the organization's time zone."""

    def to_internal_value(self, value: Any) -> Any:
        if isinstance(value, str) and ISO_DATE.match(value):
            self.fail("date")
        super().to_internal_value(value)
        return value


class NewExportSerializer(serializers.Serializer[Any]):
    """A new export: its type, and the range of dates, whose ends are included."""

    type = ExportTypeField()
    date_from = DateTimeText()
    date_to = DateTimeText()


class ExportFiltersSerializer(serializers.Serializer[Any]):
    """The filters of the list of exports."""

    type = ExportTypeField(required=False)
    date_created_from = serializers.DateField(
        required=False, help_text="Created on this day or later: YYYY-MM-DD."
    )
    date_created_to = serializers.DateField(
        required=False, help_text="Created on this day or earlier: YYYY-MM-DD."
    )
