"""Admin of subscriptions and the health of their targets. Its pages show no secret."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.forms.widgets import Script
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from longshore.accounts.admin.filters import RelatedFilter
from longshore.jobs.admin.facts import Fact, page_link
from longshore.jobs.admin.presentation import chips, code, relative_and_exact_time
from webhooks import envelopes
from webhooks.admin import health, presentation, states
from webhooks.admin.advice import advice_of
from webhooks.admin.states import State
from webhooks.admin.subscription_buttons import SubscriptionButtons
from webhooks.lifecycle import pauses
from webhooks.models import Delivery, Subscription
from webhooks.senders import MAX_SENDERS, is_unproven

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
        value = self.value()
        return queryset.filter(states.CONDITIONS[State(value)]) if value in State else queryset


# The word that the API and the documentation use. It is not part of a migration: Django keeps the
# declared one.
Subscription._meta.verbose_name = "webhook"
Subscription._meta.verbose_name_plural = "webhooks"
Delivery._meta.get_field("subscription").verbose_name = "webhook"


@admin.register(Subscription)
class SubscriptionAdmin(SubscriptionButtons):
    hidden_fields = ("challenge", "headers", "previous_secret", "secret")
    list_display = ("identifier", "target_url", "event_list", "recent", "state", "created")
    list_filter = (StateFilter, ("organization", RelatedFilter))
    list_select_related = ("organization",)
    # Each row has a chart: 100 rows take 300 ms.
    list_per_page = 50
    # Django shows the field of the search only if this is not empty; `get_search_results` searches.
    search_fields = ("public_id",)
    search_help_text = "Part of a name, target, organization or id"
    change_form_before_template = "admin/webhooks/subscription.html"
    fieldsets = (
        ("Technical details", {"fields": ("speed", "failures"), "classes": ("collapse",)}),
    )

    class Media:
        css = {"all": ("webhooks/admin.css",)}  # noqa: RUF012
        js = (
            Script("longshore_jobs/live.js", defer=True),
            Script("longshore_jobs/copy.js", defer=True),
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        found: QuerySet[Subscription] = super().get_queryset(request).filter(deleted_at=None)
        return health.with_health(found)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Subscription], search_term: str
    ) -> tuple[QuerySet[Subscription], bool]:
        """Search for the whole term: names contain spaces, at which Django would divide it."""
        text = search_term.strip()
        if not text:
            return queryset, False
        names = ("name", "target", "public_id", "organization__name", "organization__slug")
        matches = Q(*((f"{name}__icontains", text) for name in names), _connector=Q.OR)
        return queryset.filter(matches), False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        subscription = kwargs["obj"]
        state = states.state_of(subscription)
        query = urlencode({"subscription__number__exact": subscription.pk})
        newest = presentation.with_last_attempt(health.newest(subscription.pk))
        deliveries = list(newest[:_MAX_LISTED_DELIVERIES])
        title = "Newest deliveries"
        context |= {
            "heading": presentation.title_of(subscription),
            "status": state.label,
            "status_color": states.STATE_COLORS[state],
            "sentence": states.subscription_sentence(subscription, subscription.next_attempt_at),
            "advice": advice_of(subscription),
            "steps": self._steps(request, subscription),
            "health": health.health_chart(subscription.recent),
            "times": presentation.times(subscription),
            "facts": self._facts(request, subscription),
            "all_deliveries": f"{reverse('admin:webhooks_delivery_changelist')}?{query}",
            "tables": [presentation.delivery_table(deliveries, title=title, omits="Webhook")],
            "is_live": any(map(states.changes_soon, deliveries)),
        }
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def _steps(self, request: HttpRequest, subscription: Subscription) -> list[dict[str, Any]]:
        """Return the buttons below the state: what the person may do about it."""
        if not self.has_edit_permission(request):
            return []
        # The page of an active one gives no advice.
        names: dict[State, tuple[str, ...]] = {
            State.UNVERIFIED: ("send_test", "edit"),
            State.FAILING: ("send_test", "recover", "edit"),
            State.INACTIVE: ("enable",),
            State.DISABLED: ("enable", "edit"),
        }
        return [
            {
                "title": getattr(self, name).short_description,
                "url": self.page_url(name, subscription.pk),
                "is_dialog": hasattr(getattr(self, name), "dialog"),
            }
            for name in names.get(states.state_of(subscription), ())
        ]

    def _facts(self, request: HttpRequest, subscription: Subscription) -> list[Fact]:
        organization = subscription.organization
        limits = [*map(str, subscription.resources), *map(str, subscription.types)]
        return [
            Fact("Target", code(subscription.target), is_wide=True),
            Fact(
                "Organization",
                page_link(
                    request,
                    "longshore_accounts.view_organization",
                    organization,
                    str(organization),
                ),
            ),
            Fact("Verification", str(subscription.verification.label)),
            Fact("Message format", envelopes.title_of(subscription.dialect)),
            Fact("Resources and named exports", chips(limits) or "All"),
            Fact("Headers (values are hidden)", chips(subscription.headers) or "None"),
            Fact("Events", chips(presentation.event_names(subscription)), is_wide=True),
        ]

    @display(description="Speed")
    def speed(self, subscription: Subscription) -> str:
        if is_unproven(subscription):
            return "One message at a time: the target is new, slow or failing"
        return f"Up to {MAX_SENDERS} messages at a time: the target responds quickly"

    @display(description="Failed attempts in a row")
    def failures(self, subscription: Subscription) -> str:
        count, maximum = subscription.consecutive_failures, pauses.MAX_FAILURES
        return f"{count}; Longshore disables the webhook after {maximum}"

    @display(description="Webhook", ordering="number", header=True)
    def identifier(self, subscription: Subscription) -> tuple[str, str]:
        return presentation.title_of(subscription), str(subscription.organization)

    @display(description="Webhook", ordering="number")
    def title(self, subscription: Subscription) -> str:
        """Return the title without the organization, for its page."""
        return presentation.title_of(subscription)

    @display(description="Target")
    def target_url(self, subscription: Subscription) -> SafeString:
        return code(subscription.target)

    @display(description="Events")
    def event_list(self, subscription: Subscription) -> SafeString:
        names = presentation.event_names(subscription)
        hidden = len(names) - _MAX_LISTED_EVENTS
        more = [f"+{hidden}"] if hidden > 0 else []
        return chips([*names[:_MAX_LISTED_EVENTS], *more])

    @display(description="Recent deliveries")
    def recent(self, subscription: Any) -> SafeString:
        return health.health_chart(subscription.recent)

    @display(description="State")
    def state(self, subscription: Any) -> SafeString:
        return presentation.subscription_state_cell(subscription)

    @display(description="Created", ordering="number", header=True)
    def created(self, subscription: Subscription) -> tuple[str, str]:
        return relative_and_exact_time(subscription.created_at)
