"""Filters of the list of exports. Their choices need no query."""

from typing import Any

from django.db.models import QuerySet
from django.db.models.fields.json import KT
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter

from exports.formats import formats
from exports.models import Export
from longshore.resources.export_types import export_types


class FormatFilter(DropdownFilter):
    title = "format"
    parameter_name = "format"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name.upper()) for name in formats]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Export]) -> QuerySet[Export]:
        return queryset.filter(format=self.value()) if self.value() else queryset


class TypeFilter(DropdownFilter):
    """Selects the exports of a named export."""

    title = "named export"
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(each.code, each.name) for each in export_types.declared]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Export]) -> QuerySet[Export]:
        if not self.value():
            return queryset
        return queryset.alias(type=KT("request__type")).filter(type=self.value())
