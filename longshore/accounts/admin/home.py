"""The organizations that the admin's home shows, and its table of API keys that expire soon."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from longshore.accounts.admin.presentation import link, table
from longshore.accounts.models import EXPIRES_SOON, ApiKey, Organization

M = TypeVar("M", bound=Model)
_MAX_KEYS = 5


@dataclass(frozen=True)
class HomeScope:
    """The organizations whose records the home shows.

    organizations: their ids; None for all.
    """

    organizations: frozenset[str] | None

    def of(self, records: QuerySet[M, M], path: str = "organization") -> QuerySet[M, M]:
        """Return the records of these organizations. path: lookup of the organization."""
        if self.organizations is None:
            return records
        return records.filter(**{f"{path}__in": sorted(self.organizations)})


def with_organization(title: str, organization: Organization) -> SafeString:
    """Return a cell with the title of a record above its organization."""
    return format_html('<span>{}<span class="home-note">{}</span></span>', title, organization)


def _days(expiry: datetime | None, now: datetime) -> str:
    """Return the number of days until a time, by the dates in the person's time zone."""
    days = (timezone.localdate(expiry) - timezone.localdate(now)).days if expiry else 0
    return "today" if days == 0 else f"in {days} day{'' if days == 1 else 's'}"


def expiring_keys(request: HttpRequest, scope: HomeScope) -> dict[str, Any] | None:
    """Return active keys that expire soon, as a table; None if the person may not view keys.

    Costs one query.
    """
    if not request.user.has_perm("longshore_accounts.view_apikey"):
        return None
    now = timezone.now()
    found = (
        scope.of(ApiKey.objects.expiring_soon())
        .select_related("organization")
        .order_by("expiry_date")[:_MAX_KEYS]
    )
    rows = [
        [
            link(reverse("admin:longshore_accounts_apikey_change", args=[key.pk]), key.name),
            str(key.organization),
            _days(key.expiry_date, now),
            naturaltime(key.last_used_at) if key.last_used_at else "Never",
        ]
        for key in found
    ]
    headers = ["Key", "Organization", "Expires", "Last used"]
    return table("API keys that expire soon", headers, rows) | {"days": EXPIRES_SOON.days}
