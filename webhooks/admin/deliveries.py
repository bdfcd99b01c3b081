"""Admin of deliveries, with their requests and responses."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.forms.widgets import Script
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm

from longshore.accounts.admin.dialogs import confirmation
from longshore.accounts.admin.filters import RelatedFilter, TimeFilter, has_range
from longshore.jobs.admin.facts import Fact, page_link
from longshore.jobs.admin.presentation import EMPTY, code, link, relative_and_exact_time
from longshore.jobs.admin.rows import OpeningRows
from longshore.jobs.admin.selected import Bulk, SelectedActions
from webhooks import actions
from webhooks.admin import delivery_filters, messages, presentation, states
from webhooks.admin.delivery_filters import EventTypeFilter, ResponseFilter
from webhooks.admin.subjects import subject_link
from webhooks.models import Attempt, Delivery, DeliveryStatus, Subscription

_HELD = "If the target is unverified, the delivery waits until the target repeats its challenge."
_EFFECT = f"The message is sent now. It keeps its id: the receiver can detect a duplicate. {_HELD}"


@admin.register(Delivery)
class DeliveryAdmin(SelectedActions, OpeningRows):
    organization_path = "subscription__organization"
    list_display = ("event_type", "goes_to", "state", "attempts_made", "last_response", "created")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        EventTypeFilter,
        ResponseFilter,
        ("subscription", RelatedFilter),
        ("subscription__organization", RelatedFilter),
        # The table of events has an index of times; one of deliveries would mislead the planner.
        ("event__created_at", TimeFilter),
    )
    # Django shows the field of the search only if this is not empty; `get_search_results` searches.
    search_fields = ("public_id",)
    search_help_text = "The beginning of the id of a delivery or an event, or the id of a job"
    empty_hint = "Each event has one delivery for each webhook that subscribes to it."
    list_before_template = "admin/longshore_jobs/list_notes.html"
    change_form_before_template = "admin/webhooks/delivery.html"
    row_template = "admin/webhooks/row.html"
    list_select_related = ("event", "subscription__organization")
    actions: Sequence[str] = ("redeliver_selected",)
    actions_detail = ("redeliver",)
    fieldsets = (("Technical details", {"fields": ("lease", "claim"), "classes": ("collapse",)}),)

    class Media:
        css = {"all": ("webhooks/admin.css",)}  # noqa: RUF012
        js = (
            Script("longshore_jobs/live.js", defer=True),
            Script("longshore_jobs/copy.js", defer=True),
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        deliveries: QuerySet[Delivery] = super().get_queryset(request)
        # Few subscriptions are deleted. A join with the others takes twice as long on late pages.
        deleted = Subscription.objects.filter(pk=OuterRef("subscription"), deleted_at__isnull=False)
        return presentation.with_last_attempt(deliveries.filter(~Exists(deleted)))

    def get_ordering(self, request: HttpRequest) -> Sequence[str]:
        """Order by the columns of the index that serves the filter of the list."""
        if any(name.startswith("subscription__number") for name in request.GET):
            return ("-created_at", "-number")
        if has_range(request, "event__created_at"):
            return ("-event__created_at", "-number")
        if request.GET.get(EventTypeFilter.parameter_name):
            return ("-event_id", "-number")
        return ("-number",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Delivery], search_term: str
    ) -> tuple[QuerySet[Delivery], bool]:
        found, note = delivery_filters.search(queryset, search_term, request.user)
        request.search_note = note  # type: ignore[attr-defined]
        return found, False

    def row_context(self, request: HttpRequest, delivery: Delivery) -> dict[str, Any]:
        return self._attempts(delivery)

    # --- Page of a delivery ------------------------------------------------------------------

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        delivery: Delivery = kwargs["obj"]
        last = presentation.last_attempt(delivery)
        label, color, sentence = states.delivery_state(delivery, last)
        steps = [
            ("Created", delivery.created_at),
            ("Next attempt", states.next_attempt_of(delivery)),
            ("Ended", delivery.completed_at),
        ]
        context |= {
            "heading": delivery.event.type,
            "status": label,
            "status_color": color,
            "sentence": sentence,
            "facts": self._facts(request, delivery),
            "times": [(title, *relative_and_exact_time(when)) for title, when in steps if when],
            "is_live": states.changes_soon(delivery),
            "request_headers": messages.request_headers(delivery),
            "request_body": messages.request_body(delivery),
            **self._attempts(delivery),
        }
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def _attempts(self, delivery: Delivery) -> dict[str, Any]:
        """Return the context of the newest attempts, and the cause of the last failure."""
        total = delivery.attempts.count()
        newest = list(Attempt.objects.filter(delivery=delivery).newest())
        attempts = messages.shown_attempts(newest, total)
        cause = attempts[0].cause if attempts else None
        return {"attempts": attempts, "attempts_total": total, "cause": cause}

    def _facts(self, request: HttpRequest, delivery: Delivery) -> list[Fact]:
        event, subscription = delivery.event, delivery.subscription
        organization = subscription.organization
        subject = subject_link(request, event)
        title = presentation.title_of(subscription)
        found = [
            Fact("Webhook", page_link(request, "webhooks.view_subscription", subscription, title)),
            Fact("Event", page_link(request, "webhooks.view_event", event, event.public_id)),
            Fact(
                "Organization",
                page_link(
                    request,
                    "longshore_accounts.view_organization",
                    organization,
                    str(organization),
                ),
            ),
        ]
        return [*found, *([Fact("Job", subject)] if subject else [])]

    @display(description="Lease ends")
    def lease(self, delivery: Delivery) -> str:
        return relative_and_exact_time(delivery.lease_ends_at)[0]

    # --- Redeliver ---------------------------------------------------------------------------

    @action(
        description="Redeliver",
        icon="replay",
        permissions=["redeliver"],
        dialog=confirmation("Send this delivery again?", _EFFECT, "Redeliver"),
    )
    def redeliver(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        visible = Delivery.objects.filter(subscription__deleted_at=None)
        found = self.by_key(visible.select_related("subscription"), object_id)
        delivery = get_object_or_404(found)
        return self.run_action(
            request, delivery, lambda: actions.redeliver(delivery), "The delivery is queued again."
        )

    @action(description="Redeliver", icon="replay", permissions=["redeliver"])
    def redeliver_selected(
        self, request: HttpRequest, deliveries: QuerySet[Delivery]
    ) -> HttpResponse | None:
        effect = (
            "The messages are sent now. They keep their ids: receivers can detect duplicates. "
            f"{_HELD}"
        )
        bulk = Bulk("redeliver", "queued again", effect, actions.redeliver)
        return self.run_selected(request, bulk)

    def describe(self, record: Delivery) -> str:
        title = presentation.title_of(record.subscription)
        return f"{record.event.type} to {title}, {record.status}"

    def has_redeliver_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Return whether the person may redeliver, and a given delivery can be sent now."""
        if not request.user.has_perm("webhooks.change_delivery"):
            return False
        if object_id is None:
            return True
        sendable = Delivery.objects.filter(
            subscription__active=True, subscription__deleted_at=None
        ).exclude(status=DeliveryStatus.SENDING)
        return self.by_key(sendable, object_id).exists()

    # --- Columns of the list -----------------------------------------------------------------

    @display(description="Event", ordering="number", header=True)
    def event_type(self, delivery: Delivery) -> tuple[str, SafeString]:
        return delivery.event.type, code(delivery.public_id)

    @display(description="Webhook", header=True)
    def goes_to(self, delivery: Delivery) -> tuple[SafeString, str]:
        subscription = delivery.subscription
        url = reverse("admin:webhooks_subscription_change", args=[subscription.pk])
        title = presentation.title_of(subscription)
        return link(url, title), str(subscription.organization)

    @display(description="State")
    def state(self, delivery: Delivery) -> SafeString:
        last = presentation.last_attempt(delivery)
        return presentation.state_cell(*states.delivery_state(delivery, last))

    @display(description="Attempts")
    def attempts_made(self, delivery: Delivery) -> str:
        return f"{delivery.attempts_count:,}" if delivery.attempts_count else EMPTY

    @display(description="Last response")
    def last_response(self, delivery: Delivery) -> SafeString | str:
        last = presentation.last_attempt(delivery)
        if last is None:
            return EMPTY
        return format_html('<span title="{}">{}</span>', last.error, states.outcome(last))

    @display(description="Created", ordering="number", header=True)
    def created(self, delivery: Delivery) -> tuple[str, str]:
        return relative_and_exact_time(delivery.created_at)
