"""Admin of deliveries, with all their attempts."""

from typing import Any

from django.contrib import admin
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from django.db.models.functions import JSONObject
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
)
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm

from longshore.accounts.admin.dialogs import confirmation
from longshore.jobs.admin.pages import ReadOnlyModelAdmin
from longshore.jobs.admin.presentation import (
    EMPTY,
    code,
    json_block,
    link,
    relative_and_exact_time,
)
from webhooks import actions
from webhooks.admin import presentation
from webhooks.models import Attempt, Delivery, DeliveryStatus

_ATTEMPTS = Attempt.objects.filter(delivery=OuterRef("pk")).order_by("-pk")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyModelAdmin):
    list_display = ("event_type", "goes_to", "state", "attempts_made", "last_response", "created")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("subscription", AutocompleteSelectFilter),
        ("subscription__organization", AutocompleteSelectFilter),
    )
    list_select_related = ("event", "subscription__organization")
    search_fields = ("public_id__startswith", "event__public_id__startswith")
    search_help_text = "The beginning of the id of a delivery or an event"
    change_form_before_template = "admin/webhooks/delivery.html"
    actions_detail = ("redeliver",)
    fieldsets = (("Message", {"fields": ("webhook", "event_link", "data_text")}),)

    class Media:
        css = {"all": ("webhooks/admin.css",)}  # noqa: RUF012

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        deliveries: QuerySet[Delivery] = super().get_queryset(request)
        fields = {name: name for name in ("status_code", "milliseconds", "error")}
        last = _ATTEMPTS.values(json=JSONObject(**fields))[:1]
        visible = deliveries.filter(subscription__deleted_at=None)
        return visible.annotate(last=ArraySubquery(last))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        delivery: Delivery = kwargs["obj"]
        status = DeliveryStatus(delivery.status)
        steps = [
            ("Created", delivery.created_at),
            ("Next attempt", delivery.next_attempt_at),
            ("Ended", delivery.completed_at),
        ]
        context |= {
            "heading": delivery.event.type,
            "status": status.label,
            "status_color": presentation.STATUS_COLORS[status],
            "times": [(title, *relative_and_exact_time(when)) for title, when in steps if when],
            "tables": [presentation.attempt_table(delivery.attempts.all())],
        }
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    @action(
        description="Redeliver",
        icon="replay",
        permissions=["redeliver"],
        dialog=confirmation(
            "Send this delivery again?",
            "The message is sent now. It keeps its id: the receiver can detect a duplicate.",
            "Redeliver",
        ),
    )
    def redeliver(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        visible = Delivery.objects.filter(subscription__deleted_at=None)
        delivery = get_object_or_404(visible.select_related("subscription"), pk=object_id)
        return self.run_action(
            request, delivery, lambda: actions.redeliver(delivery), "The delivery is queued again."
        )

    def has_redeliver_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Return whether the delivery can be sent and the user may change deliveries."""
        sendable = Delivery.objects.filter(
            pk=object_id or 0, subscription__active=True, subscription__deleted_at=None
        ).exclude(status=DeliveryStatus.SENDING)
        return request.user.has_perm("webhooks.change_delivery") and sendable.exists()

    @display(description="Event", ordering="number", header=True)
    def event_type(self, delivery: Delivery) -> tuple[str, SafeString]:
        return delivery.event.type, code(delivery.public_id)

    @display(description="Webhook", header=True)
    def goes_to(self, delivery: Delivery) -> tuple[str, str]:
        subscription = delivery.subscription
        return presentation.title_of(subscription), str(subscription.organization)

    @display(description="Status", label=presentation.STATUS_COLORS)
    def state(self, delivery: Delivery) -> tuple[str, str]:
        status = DeliveryStatus(delivery.status)
        return status, str(status.label)

    @display(description="Attempts", ordering="attempts_count")
    def attempts_made(self, delivery: Delivery) -> str:
        return str(delivery.attempts_count or EMPTY)

    @display(description="Last response", header=True)
    def last_response(self, delivery: Delivery) -> tuple[str, str]:
        last = [Attempt(**values) for values in delivery.last]  # type: ignore[attr-defined]
        return (presentation.outcome(last[0]), last[0].error) if last else (EMPTY, "")

    @display(description="Created", ordering="number", header=True)
    def created(self, delivery: Delivery) -> tuple[str, str]:
        return relative_and_exact_time(delivery.created_at)

    @display(description="Webhook")
    def webhook(self, delivery: Delivery) -> SafeString:
        subscription = delivery.subscription
        url = reverse("admin:webhooks_subscription_change", args=[subscription.pk])
        title = presentation.title_of(subscription)
        return format_html("{} {}", link(url, title), code(subscription.target))

    @display(description="Event")
    def event_link(self, delivery: Delivery) -> SafeString:
        event = delivery.event
        url = reverse("admin:webhooks_event_change", args=[event.pk])
        return link(url, code(event.public_id))

    @display(description="Data")
    def data_text(self, delivery: Delivery) -> SafeString:
        return json_block(delivery.event.public_data)
