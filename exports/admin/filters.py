"""Filters of the list of exports. Their choices need no query."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter

from exports.admin.presentation import resource_label
from exports.formats import formats
from exports.models import Export
from longshore.resources.registry import registry


class ResourceFilter(DropdownFilter):
    title = "resource"
    parameter_name = "resource"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, resource_label(name)) for name in registry.names()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Export]) -> QuerySet[Export]:
        return queryset.filter(resource=self.value()) if self.value() else queryset


class FormatFilter(DropdownFilter):
    title = "format"
    parameter_name = "format"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in formats]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Export]) -> QuerySet[Export]:
        return queryset.filter(format=self.value()) if self.value() else queryset
