"""The base classes of the admin of records."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from django.contrib.admin.utils import get_fields_from_path
from django.contrib.postgres.fields import ArrayField
from django.db.models import JSONField, QuerySet, TextField
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from exports.admin.builder.actions import ExportActions
from longshore.accounts import staff
from longshore.accounts.admin.base import StaffModelAdmin, StaffTabularInline
from longshore.accounts.admin.filters import RelatedFilter, TimeFilter, has_range
from longshore.accounts.admin.presentation import exact_time
from longshore.database.paginator import EstimatingPaginator
from longshore.domains.admin.amounts import CurrencyField, amount_field
from longshore.domains.admin.displays import Display, amount_display, json_display
from longshore.domains.admin.forms import (
    InlineForm,
    JsonFormField,
    JsonTextarea,
    TextsFormField,
    UnchangedValuesForm,
)
from longshore.resources.reading import StatementTimeout, reading
from longshore.resources.registry import registry
from longshore.resources.search import SearchPhrase, SearchWords, words_of

_ORGANIZATION = "organization"
BY_ORGANIZATION = (_ORGANIZATION, RelatedFilter)
BY_CREATION = ("created_at", TimeFilter)
_FORM_FIELDS: dict[type, dict[str, Any]] = {
    JSONField: {"form_class": JsonFormField, "widget": JsonTextarea},
    ArrayField: {"form_class": TextsFormField, "widget": JsonTextarea},
    TextField: {"widget": UnfoldAdminTextInputWidget},
}
# Up to this number of matches, a search reads their keys first.
MAX_SEARCHED_KEYS = 1000
MAX_SEARCH_MILLISECONDS = 3_000
_LONG_TEXTS = {"comment", "description", "kiosk_message", "notes", "raw_text"}
_STOPPED = (
    f"The search was stopped because it took longer than {MAX_SEARCH_MILLISECONDS // 1_000} "
    "seconds. Add a filter, such as an organization."
)
Row = str | tuple[str, ...]
Fieldsets = tuple[tuple[str | None, dict[str, Any]], ...]


def _is_of_one_organization(request: HttpRequest) -> bool:
    """Return whether the list of a request shows the records of one organization."""
    return any(name.startswith(f"{_ORGANIZATION}__") for name in request.GET)


def _is_indexed(list_filter: Any) -> bool:
    """Return whether a filter has an index for all organizations: those by related records."""
    return isinstance(list_filter, tuple) and list_filter[1] is RelatedFilter


class RelatedInline(StaffTabularInline):
    """A table of related rows on the page of a record."""

    form = InlineForm
    formfield_overrides = _FORM_FIELDS
    extra = 0
    hide_title = True
    tab = True


class RecordAdmin(ExportActions, StaffModelAdmin):
    """Pages that stay fast with millions of rows: estimated counts, and indexes for every query.

    amounts: names of the fields with amounts in minor units of the currency in the field
        `currency`. Everybody reads and types them as decimal text.
    main_fieldsets: all fields except those of every record.
    editable, computed: rows of the fieldset with the fields of every record.
    search_fields: ("search_text",) for a search by words, which is indexed; other fields are
        searched for any part of their text. All records are found by their id.
    """

    form = UnchangedValuesForm
    formfield_overrides = _FORM_FIELDS
    paginator = EstimatingPaginator
    show_full_result_count = False
    list_per_page = 50
    list_filter_submit = True
    list_fullwidth = True
    list_before_template = "admin/longshore_jobs/list_notes.html"
    compressed_fields = False
    list_filter: tuple[Any, ...] = ()
    list_select_related: tuple[str, ...] = ("organization",)
    # Ids sort by creation time, and the primary key serves all organizations.
    ordering = ("-pk",)
    sortable_by = ("created",)
    search_fields: tuple[str, ...] = ("search_text",)
    amounts: tuple[str, ...] = ()
    currency: ClassVar[str] = ""
    main_fieldsets: Fieldsets = ()
    editable: ClassVar[tuple[Row, ...]] = ()
    computed: ClassVar[tuple[Row, ...]] = ()

    @property
    def search_help_text(self) -> str:
        if self._searches_words():
            return "Search by beginnings of words, or by id"
        paths = (get_fields_from_path(self.model, path) for path in self.search_fields)
        labels = [" ".join(str(each.verbose_name) for each in path) for path in paths]
        return f"Search by {', '.join(dict.fromkeys([*labels, 'id']))}"

    @property
    def empty_hint(self) -> str:
        """Return what an empty list says about how records come into being; "" for the default."""
        return "A batch imports many of them at once." if self.is_writable() else ""

    # --- Forms -------------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = self._new_fieldsets() if obj is None else self._fieldsets()
        is_form = self.has_change_permission(request, obj) if obj else True
        read_only = set(self._read_only_names(obj))
        shown = partial(self._shown, lambda name: not is_form or name in read_only)
        return [
            (title, {**options, "fields": [shown(row) for row in options["fields"]]})
            for title, options in fieldsets
        ]

    def _fieldsets(self) -> Fieldsets:
        record = {"fields": (*self.editable, *self.computed), "classes": ("tab",)}
        return (*self.main_fieldsets, ("Record", record))

    def _new_fieldsets(self) -> Fieldsets:
        """Return the fieldsets of a new record: the required organization comes first."""
        (_, first), *others = self.main_fieldsets
        rows = [
            tuple(
                name for name in ((row,) if isinstance(row, str) else row) if name != _ORGANIZATION
            )
            for row in self.editable
        ]
        return (
            (None, {**first, "fields": (_ORGANIZATION, *first["fields"])}),
            *others,
            ("Record", {"fields": tuple(filter(None, rows)), "classes": ("tab",)}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        return tuple(self._shown(lambda name: True, name) for name in self._read_only_names(obj))

    def _read_only_names(self, obj: Any) -> tuple[str, ...]:
        computed = tuple(
            name for row in self.computed for name in ((row,) if isinstance(row, str) else row)
        )
        names = (*computed, *self.readonly_fields)
        # The related records would remain in the previous organization.
        return names if obj is None else (_ORGANIZATION, *names)

    def _shown(self, is_read_only: Callable[[str], bool], row: Row) -> Any:
        """Return a row of a fieldset, with displays in place of fields that are only read."""
        if isinstance(row, tuple):
            return tuple(self._shown(is_read_only, name) for name in row)
        return self.display_of(row) or row if is_read_only(row) else row

    def display_of(self, name: str) -> Display | None:
        """Return the display of a field; None if Django shows its value as people read it."""
        if name in self.amounts:
            return amount_display(self.model, name, self.currency)
        fields = {field.name: field for field in self.opts.fields}
        is_json = isinstance(fields.get(name), JSONField)
        return json_display(self.model, name) if is_json else None

    def get_autocomplete_fields(self, request: HttpRequest) -> tuple[str, ...]:
        many = self.opts.many_to_many
        to_one = (f for f in self.opts.fields if f.many_to_one or f.one_to_one)
        return tuple(field.name for field in (*to_one, *many))

    def get_form(self, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(*args, **kwargs)
        form.currency = self.currency
        return form

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.amounts:
            return amount_field(db_field)
        if db_field.name == self.currency:
            kwargs["form_class"] = CurrencyField
        if db_field.name in _LONG_TEXTS:
            kwargs["widget"] = UnfoldAdminTextareaWidget({"rows": 3})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def is_writable(self) -> bool:
        """Return whether batches may write these records."""
        resource = registry.for_model(self.model)
        return resource is not None and resource.writable != ()

    # --- List --------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # The names of records contain those of related ones, also in the choices of forms.
        return super().get_queryset(request).select_related(*self.list_select_related)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Order by the column that a filter selects, so that its index is used."""
        is_selected = _is_of_one_organization(request) or has_range(request, "created_at")
        return ("-created_at", "-pk") if is_selected else self.ordering

    def get_list_filter(self, request: HttpRequest) -> tuple[Any, ...]:
        """Offer filters that have no index only for the records of an organization."""
        is_few = _is_of_one_organization(request) or staff.is_bound(request.user)
        own = (each for each in self.list_filter if is_few or _is_indexed(each))
        return (BY_ORGANIZATION, *own, BY_CREATION)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return the record with the term as id, and records that contain each of its words."""
        term = search_term.strip()
        if not term:
            return queryset, False
        by_id = queryset.filter(pk=term)
        found = by_id | self._containing(request, queryset, term)
        # With the order of the page, PostgreSQL would read the whole table in that order to find a
        # few matches.
        rows = found.order_by().values_list("pk", flat=True)[: MAX_SEARCHED_KEYS + 1]
        try:
            with reading("UTC", MAX_SEARCH_MILLISECONDS, ""):
                keys = list(rows)
        except StatementTimeout:
            request.search_note = _STOPPED  # type: ignore[attr-defined]
            return queryset.none(), False
        return (found if len(keys) > MAX_SEARCHED_KEYS else queryset.filter(pk__in=keys)), False

    def _containing(
        self, request: HttpRequest, queryset: QuerySet[Any], term: str
    ) -> QuerySet[Any]:
        if not self._searches_words():
            found: QuerySet[Any] = super().get_search_results(request, queryset, term)[0]
        elif words_of(term):
            words = queryset.alias(words=SearchWords("search_text"))
            found = words.filter(words=SearchPhrase(term))
        else:
            found = queryset.none()
        return found

    def _searches_words(self) -> bool:
        return self.search_fields == ("search_text",)

    @display(description="Created", ordering="pk", header=True)
    def created(self, record: Any) -> tuple[str, str]:
        return exact_time(record.created_at), record.organization.name
