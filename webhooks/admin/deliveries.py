"""Events on their way to their targets, with every attempt."""

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

from webhooks import actions
from webhooks.admin import presentation
from webhooks.admin.pages import ReadOnlyModelAdmin, dialog
from webhooks.models import Attempt, Delivery, DeliveryStatus

_LAST = Attempt.objects.filter(delivery=OuterRef("pk")).order_by("-pk")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyModelAdmin):
    list_display = ("kind", "goes_to", "state", "tries", "last_answer", "created")
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
    fieldsets = (("What is sent", {"fields": ("webhook", "message", "data_text")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        deliveries: QuerySet[Delivery] = super().get_queryset(request)
        last = _LAST.values(
            json=JSONObject(status_code="status_code", milliseconds="milliseconds", error="error")
        )
        seen = deliveries.filter(subscription__deleted_at=None)
        return seen.annotate(last=ArraySubquery(last[:1]))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        delivery: Delivery = kwargs["obj"]
        steps = [
            ("Created", delivery.created_at),
            ("Next attempt", delivery.next_attempt_at),
            ("Ended", delivery.completed_at),
        ]
        context |= {
            "heading": delivery.event.type,
            "state": DeliveryStatus(delivery.status).label,
            "state_color": presentation.STATUS_COLORS[DeliveryStatus(delivery.status)],
            "times": [(title, *presentation.ago(when)) for title, when in steps if when],
            "attempts": presentation.attempt_table(delivery.attempts.all()),
        }
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    @action(
        description="Redeliver",
        icon="replay",
        permissions=["redeliver"],
        dialog=dialog(
            "Send it again?",
            "At once, with the id that it has, so that a receiver can tell.",
            "Redeliver",
        ),
    )
    def redeliver(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        deliveries = Delivery.objects.filter(subscription__deleted_at=None)
        found = get_object_or_404(deliveries.select_related("subscription"), pk=object_id)
        return self.act(request, found, lambda: actions.redeliver(found), "It is sent again.")

    def has_redeliver_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Whether it may be sent, and the user may change deliveries."""
        sendable = Delivery.objects.filter(
            pk=object_id or 0, subscription__active=True, subscription__deleted_at=None
        ).exclude(status=DeliveryStatus.SENDING)
        return request.user.has_perm("webhooks.change_delivery") and sendable.exists()

    @display(description="Event", ordering="number", header=True)
    def kind(self, delivery: Delivery) -> tuple[str, SafeString]:
        return delivery.event.type, presentation.code(delivery.public_id)

    @display(description="Webhook", header=True)
    def goes_to(self, delivery: Delivery) -> tuple[str, str]:
        subscription = delivery.subscription
        return presentation.title_of(subscription), str(subscription.organization)

    @display(description="Status", label=presentation.STATUS_COLORS)
    def state(self, delivery: Delivery) -> tuple[str, str]:
        status = DeliveryStatus(delivery.status)
        return status, str(status.label)

    @display(description="Attempts", ordering="attempts_count")
    def tries(self, delivery: Delivery) -> str:
        return str(delivery.attempts_count or presentation.NOTHING)

    @display(description="Last answer", header=True)
    def last_answer(self, delivery: Delivery) -> tuple[str, str]:
        last = [Attempt(**values) for values in delivery.last]  # type: ignore[attr-defined]
        return (presentation.answer(last[0]), last[0].error) if last else (presentation.NOTHING, "")

    @display(description="Created", ordering="number", header=True)
    def created(self, delivery: Delivery) -> tuple[str, str]:
        return presentation.ago(delivery.created_at)

    @display(description="Webhook")
    def webhook(self, delivery: Delivery) -> SafeString:
        subscription = delivery.subscription
        url = reverse("admin:webhooks_subscription_change", args=[subscription.pk])
        name = presentation.title_of(subscription)
        link = format_html('<a class="webhook-link" href="{}">{}</a>', url, name)
        return format_html("{} {}", link, presentation.code(subscription.target))

    @display(description="Event")
    def message(self, delivery: Delivery) -> SafeString:
        event = delivery.event
        url = reverse("admin:webhooks_event_change", args=[event.pk])
        return format_html(
            '<a class="webhook-link" href="{}">{}</a>', url, presentation.code(event.public_id)
        )

    @display(description="Data")
    def data_text(self, delivery: Delivery) -> SafeString:
        return presentation.json_block(delivery.event.public_data)
