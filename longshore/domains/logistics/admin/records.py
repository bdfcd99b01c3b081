"""The base classes of the admin of logistics records."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import JSONField, Q, QuerySet, TextField
from django.http import HttpRequest
from django.utils.timezone import localtime
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from longshore.database.paginator import EstimatingPaginator
from longshore.domains.logistics.admin.forms import (
    InlineForm,
    JsonFormField,
    JsonTextarea,
    TextsFormField,
    UnchangedValuesForm,
)
from longshore.domains.logistics.models.base import Record
from longshore.resources.search import SearchPhrase, SearchWords, words_of

NOTHING = "–"  # noqa: RUF001 (a dash)
BY_ORGANIZATION = ("organization", AutocompleteSelectFilter)
_FORM_FIELDS: dict[type, dict[str, Any]] = {
    JSONField: {"form_class": JsonFormField, "widget": JsonTextarea},
    ArrayField: {"form_class": TextsFormField, "widget": JsonTextarea},
    TextField: {"widget": UnfoldAdminTextInputWidget},
}
# Up to this number of matches, a search reads their keys first.
MAX_SEARCHED_KEYS = 1000
_LONG_TEXTS = {"comment", "description", "kiosk_message", "notes", "raw_text"}
_EDITABLE = (("organization", "external_id"), "metadata")
_COMPUTED = (("id", "search_text"), ("created_at", "updated_at", "updated_by"))


def texts_of(value: Any, *keys: str) -> list[str]:
    """Return the non-empty texts under some keys of a JSON object; nothing for other values.

    JSON columns may contain any JSON value, for example after an import.
    """
    members = [value.get(key) for key in keys] if isinstance(value, dict) else []
    return [text for text in members if isinstance(text, str) and text]


class RelatedInline(TabularInline):
    """A table of related rows on the page of a record."""

    form = InlineForm
    formfield_overrides = _FORM_FIELDS
    extra = 0
    hide_title = True
    tab = True


class RecordAdmin(ModelAdmin):
    """Pages that stay fast with millions of rows: estimated counts, and indexes for every query."""

    form = UnchangedValuesForm
    formfield_overrides = _FORM_FIELDS
    paginator = EstimatingPaginator
    show_full_result_count = False
    list_per_page = 50
    list_filter_submit = True
    list_fullwidth = True
    compressed_fields = False
    list_filter: tuple[Any, ...] = (BY_ORGANIZATION,)
    list_select_related: tuple[str, ...] = ("organization",)
    # Ids sort by creation time, and the primary key serves all organizations.
    ordering = ("-pk",)
    sortable_by = ("created",)
    # Enables the search box; `get_search_results` searches.
    search_fields = ("search_text",)
    search_help_text = "Search by beginnings of words, or by id"
    main_fieldsets: tuple[tuple[str | None, dict[str, Any]], ...] = ()

    def get_fieldsets(self, request: HttpRequest, obj: Record | None = None) -> Any:
        record = _EDITABLE if obj is None else (*_EDITABLE, *_COMPUTED)
        return (*self.main_fieldsets, ("Record", {"fields": record, "classes": ("tab",)}))

    def get_readonly_fields(
        self, request: HttpRequest, obj: Record | None = None
    ) -> tuple[str, ...]:
        computed = tuple(name for row in _COMPUTED for name in row) + self.readonly_fields
        # The related records would remain in the previous organization.
        return computed if obj is None else ("organization", *computed)

    def get_autocomplete_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return tuple(f.name for f in self.opts.fields if f.many_to_one or f.one_to_one)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in _LONG_TEXTS:
            kwargs["widget"] = UnfoldAdminTextareaWidget({"rows": 3})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Record, form: Any, change: bool) -> None:
        obj.updated_by = request.user.get_username()
        super().save_model(request, obj, form, change)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return the record with the term as id, and records with each of its words as a prefix."""
        if not search_term.strip():
            return queryset, False
        found = Q(pk=search_term.strip())
        if words_of(search_term):
            found |= Q(words=SearchPhrase(search_term))
        matches = queryset.alias(words=SearchWords("search_text")).filter(found)
        # With the order of the page, PostgreSQL would read the whole table in that order to find a
        # few matches.
        keys = list(matches.order_by().values_list("pk", flat=True)[: MAX_SEARCHED_KEYS + 1])
        return (matches if len(keys) > MAX_SEARCHED_KEYS else queryset.filter(pk__in=keys)), False

    @display(description="Created", ordering="pk", header=True)
    def created(self, record: Record) -> tuple[str, str]:
        return f"{localtime(record.created_at):%Y-%m-%d %H:%M}", record.organization.name
