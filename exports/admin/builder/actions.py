"""Actions of the lists of records: export the selected records, or all records of the list."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet, Value
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from unfold.decorators import action

from exports.admin.builder import drafts
from exports.admin.builder.drafts import Draft
from exports.admin.builder.list_filters import filters_of_list
from exports.admin.builder.state import FILTERS
from longshore.accounts.admin.filters import TimeFilter
from longshore.resources.readers import may_read
from longshore.resources.registry import Resource, registry

# Maximum number of ids in a request that a list prepares: more would fill the session and the
# page.
MAX_IDS = 1_000


class ExportActions:
    """Mixin of a ModelAdmin whose model is a resource; it comes before StaffModelAdmin.

    Both actions open the builder with a request for the records. They need `add_export`,
    and a role of the resource if it declares some.
    """

    model: Any
    opts: Any
    actions = ("export_selected",)
    actions_list = ("export_all",)

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Return whether the person may export the records of this model."""
        resource = registry.for_model(self.model)
        if resource is None or not request.user.has_perm("exports.add_export"):
            return False
        return may_read([resource.name], request.user)

    @admin.action(description="Export selected", permissions=["export"])
    def export_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        if request.POST.get("select_across") == "1":
            return self._export_list(request)
        return self._export_ids(request, queryset)

    @action(description="Export all that match", icon="download", permissions=["export"])
    def export_all(self, request: HttpRequest) -> HttpResponse:
        return self._export_list(request)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Pass the filters of the list to the button that exports all records."""
        response: Any = super().changelist_view(request, extra_context)  # type: ignore[misc]
        context = getattr(response, "context_data", None) or {}
        for button in context.get("actions_list") or ():
            if button.get("path", "").endswith("/export_all/") and request.GET:
                button["path"] += f"?{request.GET.urlencode()}"
        return response  # type: ignore[no-any-return]

    def _export_list(self, request: HttpRequest) -> HttpResponse:
        """Open the builder for all records that pass the filters of the list."""
        try:
            changelist = self.get_changelist_instance(request)  # type: ignore[attr-defined]
        except IncorrectLookupParameters:
            return redirect(self._list_url())
        resource = self._resource()
        term = changelist.query.strip()
        found = filters_of_list(resource, _lookups(changelist), term)
        if found is None or (term and _has_key(changelist.queryset, term)):
            # The search of the list also finds a record by its id.
            return self._export_ids(request, changelist.queryset)
        return redirect(drafts.url_of(request, Draft(*found)))

    def _export_ids(self, request: HttpRequest, records: QuerySet[Any]) -> HttpResponse:
        """Open the builder for records by their ids, if they belong to one organization."""
        resource = self._resource()
        # Without an organization of their own, an export of any organization may have the records.
        owner = resource.organization or Value("")
        rows = records.order_by("pk").values_list("pk", owner)
        found = list(rows[: MAX_IDS + 1])
        organizations = {organization for _, organization in found}
        if len(found) > MAX_IDS:
            text = (
                "An export cannot have the filters of this list, and the list has more than "
                f"{MAX_IDS:,} records. Use other filters, or build the export yourself."
            )
        elif not found:
            text = "The list has no records to export."
        elif len(organizations) > 1:
            text = (
                "The records belong to several organizations, and an export belongs to one. "
                "Filter the list by organization first."
            )
        else:
            key = resource.model._meta.pk.attname
            ids = [str(pk) for pk, _ in found]
            body = {"resource": resource.name, FILTERS: {f"{key}_in": ids}}
            draft = Draft(str(organizations.pop()), body)
            return redirect(drafts.url_of(request, draft))
        messages.error(request, text)
        return redirect(f"{self._list_url()}?{request.GET.urlencode()}")

    def _resource(self) -> Resource:
        """Raises LookupError for a model that is not a resource; the permission excludes it."""
        resource = registry.for_model(self.model)
        if resource is None:
            raise LookupError(f"{self.model.__name__} is not a resource")
        return resource

    def _list_url(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")


def _has_key(records: QuerySet[Any], term: str) -> bool:
    """Return whether one of some records has a text as its primary key."""
    try:
        return records.filter(pk=term).exists()
    except (ValueError, ValidationError):
        # Not a number, or not a UUID.
        return False


def _lookups(changelist: Any) -> dict[str, Any]:
    """Return the filters of a list as lookups. A range of times has parameters of its own."""
    lookups: dict[str, Any] = dict(changelist.get_filters_params())
    for spec in changelist.filter_specs:
        if isinstance(spec, TimeFilter):
            for name in spec.expected_parameters():
                lookups.pop(name, None)
            lookups |= {name: when.isoformat() for name, when in spec.lookups().items()}
    return lookups
