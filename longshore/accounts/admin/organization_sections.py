"""The sections of an organization's page about access: API keys, staff, audit log."""

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from longshore.accounts.admin.api_keys import STATUS_COLORS, expiry, last_use, status_of
from longshore.accounts.admin.history import label
from longshore.accounts.admin.presentation import (
    EMPTY,
    Table,
    badge,
    code,
    exact_time,
    link,
    nowrap,
    table,
)
from longshore.accounts.admin.sections import Section, list_url, register
from longshore.accounts.models import ApiKey, AuditEntry, Organization

_MAX_KEYS = 10
_MAX_PEOPLE = 20
_MAX_ENTRIES = 5


def _keys(request: HttpRequest, organization: Organization) -> list[Table]:
    keys = ApiKey.objects.filter(organization=organization).order_by("revoked", "-created")
    rows = [
        [
            link(reverse("admin:longshore_accounts_apikey_change", args=[key.pk]), key.name),
            code(key.prefix),
            badge(status_of(key).capitalize(), STATUS_COLORS[status_of(key)]),
            ", ".join(key.scopes),
            last_use(key)[0],
            expiry(key)[0],
        ]
        for key in keys[:_MAX_KEYS]
    ]
    return [table("", ["Name", "Prefix", "Status", "Scopes", "Last used", "Expires"], rows)]


def _key_links(request: HttpRequest, organization: Organization) -> list[tuple[str, str]]:
    links = [("All API keys", list_url("longshore_accounts_apikey", organization))]
    if request.user.has_perm("longshore_accounts.add_apikey"):
        add = reverse("admin:longshore_accounts_apikey_add")
        links.append(("Issue an API key", f"{add}?{urlencode({'organization': organization.pk})}"))
    return links


def _people(request: HttpRequest, organization: Organization) -> list[Table]:
    users = User.objects.filter(staff_profile__organizations=organization, is_active=True)
    rows = [
        [
            link(reverse("admin:auth_user_change", args=[user.pk]), user.get_username()),
            ", ".join(group.name for group in user.groups.all()) or EMPTY,
            exact_time(user.last_login),
        ]
        for user in users.order_by("username").prefetch_related("groups")[:_MAX_PEOPLE]
    ]
    return [table("", ["Bound to this organization", "Roles", "Last sign-in"], rows)]


def _people_links(request: HttpRequest, organization: Organization) -> list[tuple[str, str]]:
    return [("All users", reverse("admin:auth_user_changelist"))]


def _entries(request: HttpRequest, organization: Organization) -> list[Table]:
    entries = AuditEntry.objects.filter(organization=organization)[:_MAX_ENTRIES]
    rows = [
        [
            nowrap(exact_time(entry.created_at)),
            entry.username,
            label(entry.action),
            entry.subject,
            entry.message or EMPTY,
        ]
        for entry in entries
    ]
    return [table("", ["Time", "Person", "Action", "Object", "Details"], rows)]


def _entry_links(request: HttpRequest, organization: Organization) -> list[tuple[str, str]]:
    return [("The whole audit log", list_url("longshore_accounts_auditentry", organization))]


register(Section("API keys", 1, ApiKey, _keys, _key_links))
register(Section("Staff", 50, User, _people, _people_links))
register(Section("Audit log", 60, AuditEntry, _entries, _entry_links))
