"""Admin of subscriptions and the health of their targets. Shows no secret."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter, DropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from longshore.accounts.admin.dialogs import confirmation
from longshore.jobs.admin.pages import ReadOnlyModelAdmin
from longshore.jobs.admin.presentation import EMPTY, chips, code, relative_and_exact_time
from webhooks import actions, subscriptions
from webhooks.admin import presentation
from webhooks.admin.presentation import State
from webhooks.maintenance import RETENTION
from webhooks.models import Subscription

# Events of a subscription that the list shows, and deliveries that its page shows.
_MAX_LISTED_EVENTS = 2
_MAX_LISTED_DELIVERIES = 10


class StateFilter(DropdownFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return State.choices

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Subscription]
    ) -> QuerySet[Subscription]:
        match self.value():
            case State.ACTIVE:
                return queryset.filter(active=True, consecutive_failures=0)
            case State.FAILING:
                return queryset.filter(active=True, consecutive_failures__gt=0)
            case State.INACTIVE:
                return queryset.filter(active=False, disabled_at=None)
            case State.DISABLED:
                return queryset.filter(disabled_at__isnull=False)
        return queryset


def _a_day_ago() -> datetime:
    return timezone.now() - timedelta(days=1)


class SinceForm(BaseDialogForm):
    since = forms.DateTimeField(
        label=f"Since ({settings.TIME_ZONE})",
        initial=_a_day_ago,
        help_text="Failed deliveries of events since this time are sent again. "
        f"Events are kept for {RETENTION.days} days.",
        widget=UnfoldAdminTextInputWidget({"type": "datetime-local"}),
    )

    def get_initial_for_field(self, field: forms.Field, field_name: str) -> Any:
        """Format an initial value as the browser expects it: to the minute, without a time zone."""
        value = super().get_initial_for_field(field, field_name)
        return f"{value:%Y-%m-%dT%H:%M}" if isinstance(value, datetime) else value


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyModelAdmin):
    list_display = ("identifier", "target_url", "event_list", "health", "state", "created")
    list_filter = (StateFilter, ("organization", AutocompleteSelectFilter))
    list_select_related = ("organization",)
    search_fields = ("public_id__startswith", "name__icontains", "target__icontains")
    search_help_text = "The beginning of an id, or part of a name or target"
    change_form_before_template = "admin/webhooks/subscription.html"
    actions_detail = ("send_test", "recover", "enable", "disable")
    fieldsets = (
        ("Subscription", {"fields": ("organization", "name", "public_id_code")}),
        (
            "Target and events",
            {
                "fields": (
                    *("target_url", "verification", "all_events", "resources_and_types"),
                    "header_names",
                )
            },
        ),
    )

    class Media:
        css = {"all": ("webhooks/admin.css",)}  # noqa: RUF012

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        found: QuerySet[Subscription] = super().get_queryset(request).filter(deleted_at=None)
        without_secrets = found.defer("secret", "previous_secret")
        return without_secrets.annotate(
            recent=presentation.recent(presentation.newest(OuterRef("pk")))
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        subscription: Subscription = kwargs["obj"]
        state = presentation.state_of(subscription)
        query = urlencode({"subscription__number__exact": subscription.pk})
        deliveries = presentation.newest(subscription.pk).select_related("event")
        context |= {
            "heading": presentation.title_of(subscription),
            "status": state.label,
            "status_color": presentation.STATE_COLORS[state],
            "health": self.health(subscription),
            "times": presentation.times(subscription),
            "all_deliveries": f"{reverse('admin:webhooks_delivery_changelist')}?{query}",
            "deliveries": presentation.delivery_table(
                deliveries.prefetch_related("attempts")[:_MAX_LISTED_DELIVERIES], "Event"
            ),
        }
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    @action(
        description="Send a test",
        icon="send",
        permissions=["send"],
        dialog=confirmation(
            "Send a test?",
            "The target receives a webhook.test event, signed like any other.",
            "Send the test",
        ),
    )
    def send_test(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        found = self._found(object_id)
        return self.run_action(request, found, lambda: actions.test(found), "A test was queued.")

    @action(
        description="Recover",
        icon="replay",
        permissions=["send"],
        dialog=confirmation(
            "Send failed deliveries again?",
            "Messages are sent now. They keep their ids: the receiver can detect duplicates.",
            "Recover",
            SinceForm,
        ),
    )
    def recover(self, request: HttpRequest, form: SinceForm, object_id: str) -> HttpResponse:
        found, since = self._found(object_id), form.cleaned_data["since"]
        recover = partial(actions.recover, found, since)
        return self.run_action(request, found, recover, "Deliveries queued again: {}.")

    @action(
        description="Enable",
        icon="play_arrow",
        permissions=["enable"],
        dialog=confirmation(
            "Enable this webhook?",
            "It receives new events from now on. Failed deliveries are sent again only by Recover.",
            "Enable",
        ),
    )
    def enable(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._switch(request, object_id, active=True)

    @action(
        description="Disable",
        icon="block",
        variant=ActionVariant.WARNING,
        permissions=["disable"],
        dialog=confirmation(
            "Disable this webhook?",
            "Nothing more is sent, and pending deliveries fail. You can enable it again.",
            "Disable",
        ),
    )
    def disable(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._switch(request, object_id, active=False)

    def _switch(self, request: HttpRequest, object_id: str, *, active: bool) -> HttpResponse:
        found = self._found(object_id)
        done = "The webhook was enabled." if active else "The webhook was disabled."
        return self.run_action(
            request, found, lambda: subscriptions.change(found, {"active": active}), done
        )

    def _found(self, object_id: str) -> Subscription:
        return get_object_or_404(Subscription.objects.visible(), pk=object_id)

    def has_send_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return _may_change(request) and _is(object_id, active=True)

    def has_enable_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return _may_change(request) and _is(object_id, active=False)

    def has_disable_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return _may_change(request) and _is(object_id, active=True)

    @display(description="Webhook", ordering="number", header=True)
    def identifier(self, subscription: Subscription) -> tuple[str, str]:
        return presentation.title_of(subscription), str(subscription.organization)

    @display(description="Id")
    def public_id_code(self, subscription: Subscription) -> SafeString:
        return code(subscription.public_id)

    @display(description="Target")
    def target_url(self, subscription: Subscription) -> SafeString:
        return code(subscription.target)

    @display(description="Verification")
    def verification(self, subscription: Subscription) -> str:
        return str(subscription.verification.label)

    @display(description="Events")
    def event_list(self, subscription: Subscription) -> SafeString:
        names = presentation.event_names(subscription)
        hidden = len(names) - _MAX_LISTED_EVENTS
        more = [f"+{hidden}"] if hidden > 0 else []
        return chips([*names[:_MAX_LISTED_EVENTS], *more])

    @display(description="Events")
    def all_events(self, subscription: Subscription) -> SafeString:
        return chips(presentation.event_names(subscription))

    @display(description="Resources and types")
    def resources_and_types(self, subscription: Subscription) -> str:
        return chips([*subscription.resources, *subscription.types]) or "All"

    @display(description="Headers")
    def header_names(self, subscription: Subscription) -> str:
        return chips(subscription.headers) or EMPTY

    @display(description="Recent deliveries")
    def health(self, subscription: Subscription) -> SafeString:
        return presentation.health_chart(subscription.recent)  # type: ignore[attr-defined]

    @display(description="State", label=presentation.STATE_COLORS)
    def state(self, subscription: Subscription) -> tuple[str, str]:
        state = presentation.state_of(subscription)
        return state, str(state.label)

    @display(description="Created", ordering="number", header=True)
    def created(self, subscription: Subscription) -> tuple[str, str]:
        return relative_and_exact_time(subscription.created_at)


def _may_change(request: HttpRequest) -> bool:
    return request.user.has_perm("webhooks.change_subscription")


def _is(object_id: str | None, *, active: bool) -> bool:
    return Subscription.objects.visible().filter(pk=object_id or 0, active=active).exists()
