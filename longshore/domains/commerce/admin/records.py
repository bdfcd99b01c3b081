"""The base classes of the admin of commerce records, which derive pages from the models."""

from typing import Any, ClassVar

from django.contrib.admin import AdminSite
from django.contrib.postgres.fields import ArrayField
from django.db.models import BooleanField, DateTimeField, JSONField, Model, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter, TextFilter

from longshore.accounts import staff
from longshore.accounts.admin.base import StaffTabularInline
from longshore.accounts.admin.filters import RelatedFilter
from longshore.accounts.admin.permissions import ReadOnlyPermissions
from longshore.domains.admin.displays import (
    Display,
    amount_display,
    page_display,
    record_display,
    status_display,
)
from longshore.domains.admin.records import Fieldsets, RecordAdmin
from longshore.domains.commerce.models.base import Record

CURRENCY = "currency_code"
# A group of fields with more of them is a tab of its own.
MAX_FIELDS_OUTSIDE_TABS = 3
FIELDS_PER_ROW = 3
_RECORD_FIELDS = {field.name for field in Record._meta.fields}


def amounts_of(model: type[Model]) -> tuple[str, ...]:
    """Return the names of the fields with amounts in minor units."""
    return tuple(field.name for field in model._meta.fields if field.name.endswith("_cents"))


def column_of(model: type[Model], name: str) -> str | Display:
    """Return the column of a list for a field: as text, and a status as a badge."""
    if name in amounts_of(model):
        return amount_display(model, name, CURRENCY)
    field = model._meta.get_field(name)
    is_status = name.endswith("status") and getattr(field, "choices", None)
    return status_display(model, name) if is_status else name


def relations_among(model: type[Model], names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names that are foreign keys of the model."""
    fields = {field.name: field for field in model._meta.fields}
    return tuple(name for name in names if name in fields and fields[name].many_to_one)


class CurrencyFilter(TextFilter):
    """A filter by a whole currency code, such as EUR."""

    title = "currency code"
    parameter_name = f"{CURRENCY}__exact"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{CURRENCY: self.value()}) if self.value() else queryset


class CommerceAdmin(RecordAdmin):
    """Pages of a commerce model. Lists, filters and forms come from its fields.

    A resource that batches may not write can be seen and deleted only, a database view only seen.

    columns: names of fields of the list, between the record itself and its creation.
    detail: name of the field below the name of the record; "" for none.
    """

    currency = CURRENCY
    editable = ("organization", ("reference", "reference_origin"), "metadata")
    computed = ("id", ("created_at", "updated_at"))
    columns: ClassVar[tuple[str, ...]] = ()
    detail: ClassVar[str] = ""
    search_fields: tuple[str, ...] = ("id",)

    def __init__(self, model: type[Model], site: AdminSite) -> None:
        super().__init__(model, site)
        self.amounts = amounts_of(model)
        relations = relations_among(model, self.columns)
        name = record_display(model, self.detail)
        self.list_display = (name, *(column_of(model, each) for each in self.columns), "created")
        self.list_select_related = (*self.list_select_related, *relations)
        self.list_filter = tuple(self._filters())
        self.main_fieldsets = _fieldsets(model)

    def _filters(self) -> Any:
        for field in self.opts.fields:
            if field.choices:
                yield field.name, ChoicesDropdownFilter
            elif field.name == CURRENCY:
                yield CurrencyFilter
            elif isinstance(field, BooleanField):
                yield field.name
            elif field.name in self.columns and field.many_to_one:
                yield field.name, RelatedFilter

    def _read_only_names(self, obj: Any) -> tuple[str, ...]:
        """Make the currency of a read-only amount read-only.

        Changing the currency would change the amount.
        """
        names = super()._read_only_names(obj)
        is_fixed = obj is not None and not {*self.amounts}.isdisjoint(names)
        return (*names, CURRENCY) if is_fixed and CURRENCY not in names else names

    # --- Permissions -------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.is_writable() and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.is_writable() and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # A view has no constraints: what refers to its rows would remain.
        return self.opts.managed and super().has_delete_permission(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Require no delete permission for database views.

        The permission for their table applies.
        """
        found, counts, needed, protected = super().get_deleted_objects(objs, request)
        views = {
            m._meta.verbose_name for m in self.opts.app_config.get_models() if not m._meta.managed
        }
        return found, counts, needed - views, protected


class PartInline(ReadOnlyPermissions, StaffTabularInline):
    """A table of the parts of a record, such as the lines of an order, with links to their pages.

    columns: names of fields of the part, beside its name.
    """

    columns: ClassVar[tuple[str, ...]] = ()
    per_page = 20
    extra = 0
    hide_title = True
    tab = True

    def __init__(self, parent_model: type[Model], admin_site: AdminSite) -> None:
        super().__init__(parent_model, admin_site)
        columns = (column_of(self.model, name) for name in self.columns)
        self.fields = self.readonly_fields = (page_display(self.model), *columns)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        parts = super().get_queryset(request)
        # The names of parts contain those of related records.
        relations = [field.name for field in self.model._meta.fields if field.many_to_one]
        return staff.restrict(parts, request.user).select_related(*relations)


def _fieldsets(model: type[Model]) -> Fieldsets:
    """Return all fields of a model except those of every record."""
    # Not the items of bundles, a database view.
    links = [each for each in model._meta.many_to_many if each.name == "tags"]
    fields = [
        field
        for field in (*model._meta.fields, *links)
        if field.name not in _RECORD_FIELDS and not (field.primary_key or field.generated)
    ]
    groups: dict[str, list[Any]] = {
        "Amounts": [f for f in fields if f.name in (CURRENCY, *amounts_of(model))],
        "Related records": [f for f in fields if f.is_relation],
        "Times": [f for f in fields if isinstance(f, DateTimeField)],
    }
    tabs = {title: group for title, group in groups.items() if len(group) > MAX_FIELDS_OUTSIDE_TABS}
    elsewhere = {field for group in tabs.values() for field in group}
    main = _rows([field for field in fields if field not in elsewhere])
    return (
        (None, {"fields": main}),
        *((title, {"fields": _rows(group), "classes": ("tab",)}) for title, group in tabs.items()),
    )


def _rows(fields: list[Any]) -> tuple[Any, ...]:
    """Return rows of names of fields. JSON and lists come last, each in a row of its own."""
    wide = [field.name for field in fields if isinstance(field, JSONField | ArrayField)]
    names = [field.name for field in fields if field.name not in wide]
    starts = range(0, len(names), FIELDS_PER_ROW)
    return (*(tuple(names[start : start + FIELDS_PER_ROW]) for start in starts), *wide)
