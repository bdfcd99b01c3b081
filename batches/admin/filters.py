"""Filter of the list of batches. Its choices need no query."""

from typing import Any

from django.db.models import QuerySet
from django.db.models.fields.json import KT
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter

from batches.models import Batch
from batches.spec import InputFormat


class FormatFilter(DropdownFilter):
    """Selects batches by the detected format of their input."""

    title = "format"
    parameter_name = "format"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(each.value, each.value.upper()) for each in InputFormat]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Batch]) -> QuerySet[Batch]:
        if not self.value():
            return queryset
        return queryset.alias(format=KT("detected__format")).filter(format=self.value())
