"""Who is told of events, and how well that goes; secrets are shown to nobody."""

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

from webhooks import actions, subscriptions
from webhooks.admin import presentation
from webhooks.admin.pages import ReadOnlyModelAdmin, dialog
from webhooks.admin.presentation import State
from webhooks.models import Subscription

_CHIPS = 2
# So many deliveries are on the page of a subscription itself.
_LISTED = 10


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
            case State.OFF:
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
        help_text="What has failed of the events since then. Events are kept for 30 days.",
        widget=UnfoldAdminTextInputWidget({"type": "datetime-local"}),
    )

    def get_initial_for_field(self, field: forms.Field, field_name: str) -> Any:
        """As the browser wants it: to the minute, and without a zone."""
        value = super().get_initial_for_field(field, field_name)
        return f"{value:%Y-%m-%dT%H:%M}" if isinstance(value, datetime) else value


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyModelAdmin):
    list_display = ("identifier", "goes_to", "told_of", "health", "state", "created")
    list_filter = (StateFilter, ("organization", AutocompleteSelectFilter))
    list_select_related = ("organization",)
    search_fields = ("public_id__startswith", "name__icontains", "target__icontains")
    search_help_text = "An id, or part of a name or an address"
    change_form_before_template = "admin/webhooks/subscription.html"
    actions_detail = ("send_test", "recover", "enable", "disable")
    fieldsets = (
        ("Whose", {"fields": ("organization", "name", "identity")}),
        (
            "Target and events",
            {"fields": ("goes_to", "proven", "every_event", "only_of", "header_names")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        found: QuerySet[Subscription] = super().get_queryset(request).filter(deleted_at=None)
        secret = found.defer("secret", "previous_secret")
        return secret.annotate(recent=presentation.recent(presentation.newest(OuterRef("pk"))))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        subscription: Subscription = kwargs["obj"]
        state = presentation.state_of(subscription)
        query = urlencode({"subscription__number__exact": subscription.pk})
        deliveries = presentation.newest(subscription.pk).select_related("event")
        context |= {
            "heading": presentation.title_of(subscription),
            "state": state.label,
            "state_color": presentation.STATE_COLORS[state],
            "health": self.health(subscription),
            "times": presentation.times(subscription),
            "all_deliveries": f"{reverse('admin:webhooks_delivery_changelist')}?{query}",
            "deliveries": presentation.delivery_table(
                deliveries.prefetch_related("attempts")[:_LISTED], "Event"
            ),
        }
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    @action(
        description="Send a test",
        icon="send",
        permissions=["try"],
        dialog=dialog(
            "Send a test?", "The target gets a webhook.test, signed as all others.", "Send it"
        ),
    )
    def send_test(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        found = self._found(object_id)
        return self.act(request, found, lambda: actions.test(found), "A test is under way.")

    @action(
        description="Recover",
        icon="replay",
        permissions=["try"],
        dialog=dialog(
            "Send again what has failed?",
            "At once, and with the ids that the events have, so that a receiver can tell.",
            "Recover",
            SinceForm,
        ),
    )
    def recover(self, request: HttpRequest, form: SinceForm, object_id: str) -> HttpResponse:
        found, since = self._found(object_id), form.cleaned_data["since"]
        recover = partial(actions.recover, found, since)
        return self.act(request, found, recover, "Deliveries that are sent again: {}.")

    @action(
        description="Enable",
        icon="play_arrow",
        permissions=["enable"],
        dialog=dialog(
            "Enable this webhook?",
            "It is told of what happens from now on; what has failed is not sent by itself.",
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
        dialog=dialog(
            "Disable this webhook?",
            "Nothing is sent any more, and what waits has failed. It can be enabled again.",
            "Disable",
        ),
    )
    def disable(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._switch(request, object_id, active=False)

    def _switch(self, request: HttpRequest, object_id: str, *, active: bool) -> HttpResponse:
        found = self._found(object_id)
        done = "Enabled." if active else "Disabled."
        return self.act(
            request, found, lambda: subscriptions.change(found, {"active": active}), done
        )

    def _found(self, object_id: str) -> Subscription:
        return get_object_or_404(Subscription.objects.visible(), pk=object_id)

    def has_try_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return _may_change(request) and _is(object_id, active=True)

    def has_enable_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return _may_change(request) and _is(object_id, active=False)

    def has_disable_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return _may_change(request) and _is(object_id, active=True)

    @display(description="Webhook", ordering="number", header=True)
    def identifier(self, subscription: Subscription) -> tuple[str, str]:
        return presentation.title_of(subscription), str(subscription.organization)

    @display(description="Id")
    def identity(self, subscription: Subscription) -> SafeString:
        return presentation.code(subscription.public_id)

    @display(description="Target")
    def goes_to(self, subscription: Subscription) -> SafeString:
        return presentation.code(subscription.target)

    @display(description="Verification of the target")
    def proven(self, subscription: Subscription) -> str:
        return str(subscription.verification.label)

    @display(description="Told of")
    def told_of(self, subscription: Subscription) -> SafeString:
        names = presentation.events_of(subscription)
        more = [f"+{len(names) - _CHIPS}"] if len(names) > _CHIPS else []
        return presentation.chips([*names[:_CHIPS], *more])

    @display(description="Events")
    def every_event(self, subscription: Subscription) -> SafeString:
        return presentation.chips(presentation.events_of(subscription))

    @display(description="Of resources and types")
    def only_of(self, subscription: Subscription) -> str:
        return presentation.chips([*subscription.resources, *subscription.types]) or "All"

    @display(description="Headers")
    def header_names(self, subscription: Subscription) -> str:
        return presentation.chips(subscription.headers) or presentation.NOTHING

    @display(description="Last deliveries")
    def health(self, subscription: Subscription) -> SafeString:
        return presentation.health(subscription.recent)  # type: ignore[attr-defined]

    @display(description="State", label=presentation.STATE_COLORS)
    def state(self, subscription: Subscription) -> tuple[str, str]:
        state = presentation.state_of(subscription)
        return state, str(state.label)

    @display(description="Created", ordering="number", header=True)
    def created(self, subscription: Subscription) -> tuple[str, str]:
        return presentation.ago(subscription.created_at)


def _may_change(request: HttpRequest) -> bool:
    return request.user.has_perm("webhooks.change_subscription")


def _is(object_id: str | None, *, active: bool) -> bool:
    return Subscription.objects.visible().filter(pk=object_id or 0, active=active).exists()
