"""The sections of an organization's page about access: API keys, staff, audit log."""

from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from longshore.accounts.admin.api_keys import STATUS_COLORS, expiry, last_use, status_of
from longshore.accounts.admin.history import label
from longshore.accounts.admin.people import change_url
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
from longshore.accounts.roles import has_field, role_names

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
    model = get_user_model()
    people = model._default_manager.filter(staff_profile__organizations=organization)
    if has_field(model, "is_active"):
        people = people.filter(is_active=True)
    if has_field(model, "groups"):
        people = people.prefetch_related("groups")
    rows = [
        [
            link(change_url(person), person.get_username()),
            ", ".join(role_names(person)) or EMPTY,
            exact_time(person.last_login),
        ]
        for person in people.order_by(model.USERNAME_FIELD)[:_MAX_PEOPLE]
    ]
    return [table("", ["Bound to this organization", "Roles", "Last sign-in"], rows)]


def _people_links(request: HttpRequest, organization: Organization) -> list[tuple[str, str]]:
    return [("All users", reverse(admin_urlname(get_user_model()._meta, "changelist")))]  # type: ignore[arg-type]


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
register(Section("Staff", 50, get_user_model(), _people, _people_links))
register(Section("Audit log", 60, AuditEntry, _entries, _entry_links))
