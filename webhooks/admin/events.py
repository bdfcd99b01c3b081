"""Admin of events and of their deliveries."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter, DropdownFilter
from unfold.decorators import display

from longshore.jobs.admin.pages import ReadOnlyModelAdmin
from longshore.jobs.admin.presentation import (
    code,
    exact_time,
    json_block,
    relative_and_exact_time,
)
from webhooks.admin import presentation
from webhooks.events import EventType
from webhooks.models import Delivery, Event


class TypeFilter(DropdownFilter):
    title = "type"
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in EventType.values]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        return queryset.filter(type=self.value()) if self.value() else queryset


@admin.register(Event)
class EventAdmin(ReadOnlyModelAdmin):
    list_display = ("event_type", "about", "health", "created")
    list_filter = (TypeFilter, ("organization", AutocompleteSelectFilter))
    list_select_related = ("organization",)
    search_fields = ("public_id__startswith",)
    search_help_text = "The beginning of an id"
    change_form_before_template = "admin/webhooks/event.html"
    fieldsets = (
        ("Event", {"fields": ("type", "identifier", "organization", "time", "data_text")}),
    )

    class Media:
        css = {"all": ("webhooks/admin.css",)}  # noqa: RUF012

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        events: QuerySet[Event] = super().get_queryset(request)
        own = Delivery.objects.filter(event=OuterRef("pk")).order_by("-number")
        return events.annotate(recent=presentation.recent(own))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        event: Event = kwargs["obj"]
        deliveries = event.deliveries.select_related("subscription").prefetch_related("attempts")
        context["tables"] = [presentation.delivery_table(deliveries, "Webhook")]
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    @display(description="Event", ordering="number", header=True)
    def event_type(self, event: Event) -> tuple[str, SafeString]:
        return event.type, code(event.public_id)

    @display(description="Subject", header=True)
    def about(self, event: Event) -> tuple[str, SafeString]:
        return str(event.organization), code(event.data.get("id", ""))

    @display(description="Deliveries")
    def health(self, event: Event) -> SafeString | str:
        recent = event.recent  # type: ignore[attr-defined]
        return presentation.health_chart(recent, len(recent)) if recent else "No subscribers"

    @display(description="Time", ordering="number", header=True)
    def created(self, event: Event) -> tuple[str, str]:
        return relative_and_exact_time(event.created_at)

    @display(description="Id")
    def identifier(self, event: Event) -> SafeString:
        return code(event.public_id)

    @display(description="Time")
    def time(self, event: Event) -> str:
        return exact_time(event.created_at)

    @display(description="Data")
    def data_text(self, event: Event) -> SafeString:
        return json_block(event.public_data)
