"""The section of an organization's page about webhooks."""

from django.conf import settings
from django.http import HttpRequest

from longshore.accounts.admin.sections import RecordList, Section, list_url, register
from longshore.accounts.models import Organization
from longshore.jobs.admin.presentation import Table, table
from webhooks.admin.subscriptions import SubscriptionAdmin
from webhooks.models import Subscription


def _tables(request: HttpRequest, organization: Organization) -> list[Table]:
    limits = {
        "Concurrent senders to one host": settings.WEBHOOK_HOST_SENDERS,
        "Deliveries per second to one host": settings.WEBHOOK_HOST_RATE,
    }
    rows = [
        [name, "No limit" if value is None else f"{value:,}", "Same for all organizations"]
        for name, value in limits.items()
    ]
    return [table("Limits", ["Limit", "Applies now", "Set by"], rows)]


def _links(request: HttpRequest, organization: Organization) -> list[tuple[str, str]]:
    links = [("All webhooks", list_url("webhooks_subscription", organization))]
    if request.user.has_perm("webhooks.view_delivery"):
        url = list_url("webhooks_delivery", organization, "subscription__organization")
        links.append(("All deliveries", url))
    return links


_SUBSCRIPTIONS = RecordList(
    SubscriptionAdmin, ("title", "target_url", "event_list", "recent", "state", "created")
)
register(Section("Webhooks", 30, Subscription, _tables, _links, _SUBSCRIPTIONS))
