"""What happened, and who was told of it."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter, DropdownFilter
from unfold.decorators import display

from webhooks.admin import presentation
from webhooks.admin.pages import ReadOnlyModelAdmin
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
    list_display = ("kind", "happened_to", "told", "created")
    list_filter = (TypeFilter, ("organization", AutocompleteSelectFilter))
    list_select_related = ("organization",)
    search_fields = ("public_id__startswith",)
    search_help_text = "The beginning of an event's id"
    change_form_before_template = "admin/webhooks/event.html"
    fieldsets = (
        ("What happened", {"fields": ("type", "identity", "organization", "when", "data_text")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        events: QuerySet[Event] = super().get_queryset(request)
        own = Delivery.objects.filter(event=OuterRef("pk")).order_by("-number")
        return events.annotate(recent=presentation.recent(own))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        event: Event = kwargs["obj"]
        deliveries = event.deliveries.select_related("subscription").prefetch_related("attempts")
        context["deliveries"] = presentation.delivery_table(deliveries, "Webhook")
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    @display(description="Event", ordering="number", header=True)
    def kind(self, event: Event) -> tuple[str, SafeString]:
        return event.type, presentation.code(event.public_id)

    @display(description="About", header=True)
    def happened_to(self, event: Event) -> tuple[str, SafeString]:
        return str(event.organization), presentation.code(event.data.get("id", ""))

    @display(description="Deliveries")
    def told(self, event: Event) -> SafeString | str:
        recent = event.recent  # type: ignore[attr-defined]
        return presentation.health(recent, len(recent)) if recent else "Nobody is told"

    @display(description="Happened", ordering="number", header=True)
    def created(self, event: Event) -> tuple[str, str]:
        return presentation.ago(event.created_at)

    @display(description="Id")
    def identity(self, event: Event) -> SafeString:
        return presentation.code(event.public_id)

    @display(description="When")
    def when(self, event: Event) -> str:
        return presentation.moment(event.created_at)

    @display(description="Data")
    def data_text(self, event: Event) -> SafeString:
        return presentation.json_block(event.public_data)
