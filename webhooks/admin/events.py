"""Admin of events and of their deliveries."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, Q, QuerySet
from django.forms.widgets import Script
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from longshore.accounts.admin.filters import RelatedFilter
from longshore.jobs.admin.facts import Fact, page_link
from longshore.jobs.admin.filters import CreatedFilter, is_limited_by_creation
from longshore.jobs.admin.pages import ReadOnlyModelAdmin
from longshore.jobs.admin.presentation import EMPTY, code, json_text, relative_and_exact_time
from webhooks.admin import health, presentation, states
from webhooks.admin.delivery_filters import EventTypeFilter
from webhooks.admin.subjects import subject_link
from webhooks.events import EventType
from webhooks.models import Delivery, DeliveryStatus, Event

# Deliveries that the page of an event shows: one for each subscription that an organization may
# have, and as many of deleted ones.
_MAX_DELIVERIES = 100
_NO_DELIVERIES = "No subscribers"


@admin.register(Event)
class EventAdmin(ReadOnlyModelAdmin):
    # The data of a challenge has its token.
    hidden_fields = ("data",)
    list_display = ("event_type", "about", "deliveries", "created")
    list_filter = (EventTypeFilter, ("organization", RelatedFilter), ("created_at", CreatedFilter))
    list_select_related = ("organization",)
    # Django shows the field of the search only if this is not empty; `get_search_results` searches.
    search_fields = ("public_id",)
    search_help_text = "The beginning of the id of an event, or the id of a job"
    empty_hint = "Exports and batches store an event when their status changes."
    change_form_before_template = "admin/webhooks/event.html"
    fieldsets = (("Technical details", {"fields": ("matched",), "classes": ("collapse",)}),)

    class Media:
        css = {"all": ("webhooks/admin.css",)}  # noqa: RUF012
        js = (
            Script("longshore_jobs/live.js", defer=True),
            Script("longshore_jobs/copy.js", defer=True),
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        events: QuerySet[Event] = super().get_queryset(request)
        visible = Delivery.objects.filter(subscription__deleted_at=None)
        own = visible.filter(event=OuterRef("pk")).order_by("-number")
        # Each may have 256 KiB, and the list does not show it.
        return events.defer("data").annotate(recent=health.recent(own))

    def get_ordering(self, request: HttpRequest) -> Sequence[str]:
        """Order by the column that a range of days selects, so that its index is used."""
        return ("-created_at", "-number") if is_limited_by_creation(request) else ("-number",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        text = search_term.strip().lower()
        if not text:
            return queryset, False
        matches = Q(public_id__startswith=text) | (Q(subject=text) & ~Q(subject=""))
        return queryset.filter(matches), False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        event: Event = kwargs["obj"]
        visible = event.deliveries.filter(subscription__deleted_at=None).order_by("-number")
        deliveries = list(presentation.with_last_attempt(visible)[:_MAX_DELIVERIES])
        status, color = _outcome(deliveries)
        context |= {
            "heading": event.type,
            "status": status,
            "status_color": color,
            "sentence": _sentence(event),
            "facts": self._facts(request, event),
            "data": json_text(event.public_data),
            "is_live": any(map(states.changes_soon, deliveries)),
            "tables": [presentation.delivery_table(deliveries, title="Deliveries", omits="Event")],
        }
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def _facts(self, request: HttpRequest, event: Event) -> list[Fact]:
        permission = "longshore_accounts.view_organization"
        organization = page_link(request, permission, event.organization, str(event.organization))
        relative, exact = relative_and_exact_time(event.created_at)
        found = [Fact("Organization", organization), Fact("Time", f"{relative}, {exact}")]
        subject = subject_link(request, event)
        return [*found, *([Fact("Job", subject)] if subject else [])]

    @display(description="Matched by webhooks for")
    def matched(self, event: Event) -> str:
        names = filter(None, (event.resource, event.export_type))
        return ", ".join(names) or EMPTY

    @display(description="Event", ordering="number", header=True)
    def event_type(self, event: Event) -> tuple[str, SafeString]:
        return event.type, code(event.public_id)

    @display(description="Subject", header=True)
    def about(self, event: Event) -> tuple[str, SafeString | str]:
        return str(event.organization), code(event.subject) if event.subject else EMPTY

    @display(description="Deliveries")
    def deliveries(self, event: Any) -> SafeString | str:
        recent = event.recent
        return health.health_chart(recent, len(recent)) if recent else _NO_DELIVERIES

    @display(description="Time", ordering="number", header=True)
    def created(self, event: Event) -> tuple[str, str]:
        return relative_and_exact_time(event.created_at)


def _outcome(deliveries: Sequence[Delivery]) -> tuple[str, str]:
    """Return how many deliveries of an event have arrived, and the color of the text."""
    if not deliveries:
        return _NO_DELIVERIES, "default"
    delivered = sum(each.status == DeliveryStatus.DELIVERED for each in deliveries)
    is_complete = delivered == len(deliveries)
    return f"{delivered} of {len(deliveries)} delivered", "success" if is_complete else "default"


def _sentence(event: Event) -> str | SafeString:
    """Return when an event of this type is published. The description marks code by backticks."""
    if event.type not in EventType.values:
        return ""
    texts = str(EventType(event.type).label).split("`")
    parts = [(code(text) if number % 2 else text,) for number, text in enumerate(texts)]
    return format_html_join("", "{}", parts)
