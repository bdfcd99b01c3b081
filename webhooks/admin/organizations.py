"""The section of an organization's page about webhooks."""

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from longshore.accounts.admin.sections import Section, list_url, register
from longshore.accounts.models import Organization
from longshore.jobs.admin.presentation import Table, code, link, table
from webhooks.admin import health, presentation
from webhooks.models import Subscription

_MAX_SUBSCRIPTIONS = 10


def _tables(request: HttpRequest, organization: Organization) -> list[Table]:
    return [_subscriptions(organization), _limits()]


def _subscriptions(organization: Organization) -> Table:
    found = Subscription.objects.visible().filter(organization=organization)
    rows = []
    for each in health.with_health(found).order_by("-number")[:_MAX_SUBSCRIPTIONS]:
        url = reverse("admin:webhooks_subscription_change", args=[each.pk])
        rows.append(
            [
                link(url, presentation.title_of(each)),
                code(each.target),
                presentation.subscription_state_cell(each),
                health.health_chart(each.recent),
            ]
        )
    return table("", ["Webhook", "Target", "State", "Recent deliveries"], rows)


def _limits() -> Table:
    limits = {
        "Concurrent senders to one host": settings.WEBHOOK_HOST_SENDERS,
        "Deliveries per second to one host": settings.WEBHOOK_HOST_RATE,
    }
    rows = [
        [name, "No limit" if value is None else f"{value:,}", "Same for all organizations"]
        for name, value in limits.items()
    ]
    return table("Limits", ["Limit", "Applies now", "Set by"], rows)


def _links(request: HttpRequest, organization: Organization) -> list[tuple[str, str]]:
    links = [("All webhooks", list_url("webhooks_subscription", organization))]
    if request.user.has_perm("webhooks.view_delivery"):
        url = list_url("webhooks_delivery", organization, "subscription__organization")
        links.append(("All deliveries", url))
    return links


register(Section("Webhooks", 30, Subscription, _tables, _links, css="webhooks/admin.css"))
