"""What the admin pages of all logistics records have in common."""

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
    CarefulForm,
    JsonFormField,
    JsonTextarea,
    RowForm,
    TextsFormField,
)
from longshore.domains.logistics.models.base import Record
from longshore.resources.search import SearchPhrase, SearchWords, words_of

NOTHING = "–"  # noqa: RUF001 (a dash for people)
BY_ORGANIZATION = ("organization", AutocompleteSelectFilter)
_FORM_FIELDS: dict[type, dict[str, Any]] = {
    JSONField: {"form_class": JsonFormField, "widget": JsonTextarea},
    ArrayField: {"form_class": TextsFormField, "widget": JsonTextarea},
    TextField: {"widget": UnfoldAdminTextInputWidget},
}
_FEW = 1000
_LONG_TEXTS = {"comment", "description", "kiosk_message", "notes", "raw_text"}
_KEPT = (("organization", "external_id"), "metadata")
_COMPUTED = (("id", "search_text"), ("created_at", "updated_at", "updated_by"))


def texts_of(value: Any, *keys: str) -> list[str]:
    """The texts under some keys of a JSON object; none of a value that is not an object.

    JSON columns take any JSON, and imported records hold any.
    """
    members = [value.get(key) for key in keys] if isinstance(value, dict) else []
    return [text for text in members if isinstance(text, str) and text]


class Rows(TabularInline):
    """A table on a record's page."""

    form = RowForm
    formfield_overrides = _FORM_FIELDS
    extra = 0
    hide_title = True
    tab = True


class RecordAdmin(ModelAdmin):
    """Pages that stay quick with millions of rows: nothing is counted, everything is indexed."""

    form = CarefulForm
    formfield_overrides = _FORM_FIELDS
    paginator = EstimatingPaginator
    show_full_result_count = False
    list_per_page = 50
    list_filter_submit = True
    list_fullwidth = True
    compressed_fields = False
    list_filter: tuple[Any, ...] = (BY_ORGANIZATION,)
    list_select_related: tuple[str, ...] = ("organization",)
    # Ids sort by time, and their index serves all organizations at once.
    ordering = ("-pk",)
    sortable_by = ("created",)
    # Only says that there is a search: `get_search_results` does it.
    search_fields = ("search_text",)
    search_help_text = "Beginnings of words, or a whole id"
    main_fieldsets: tuple[tuple[str | None, dict[str, Any]], ...] = ()

    def get_fieldsets(self, request: HttpRequest, obj: Record | None = None) -> Any:
        record = _KEPT if obj is None else (*_KEPT, *_COMPUTED)
        return (*self.main_fieldsets, ("Record", {"fields": record, "classes": ("tab",)}))

    def get_readonly_fields(
        self, request: HttpRequest, obj: Record | None = None
    ) -> tuple[str, ...]:
        computed = tuple(name for row in _COMPUTED for name in row) + self.readonly_fields
        # Its relations would stay with the former organization.
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
        """The records in which every word of the term begins a word, and the one of that id."""
        if not search_term.strip():
            return queryset, False
        found = Q(pk=search_term.strip())
        if words_of(search_term):
            found |= Q(words=SearchPhrase(search_term))
        matches = queryset.alias(words=SearchWords("search_text")).filter(found)
        # Left with the page's order, PostgreSQL would look for a few matches by reading the whole
        # table in that order.
        keys = list(matches.order_by().values_list("pk", flat=True)[: _FEW + 1])
        return (matches if len(keys) > _FEW else queryset.filter(pk__in=keys)), False

    @display(description="Created", ordering="pk", header=True)
    def created(self, record: Record) -> tuple[str, str]:
        return f"{localtime(record.created_at):%Y-%m-%d %H:%M}", record.organization.name
