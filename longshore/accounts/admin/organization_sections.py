"""The sections of an organization's page about access: API keys, staff, audit log."""

from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from longshore.accounts.admin.api_keys import ApiKeyAdmin
from longshore.accounts.admin.audit import AuditEntryAdmin
from longshore.accounts.admin.people import change_url
from longshore.accounts.admin.presentation import EMPTY, Table, exact_time, link, table
from longshore.accounts.admin.sections import RecordList, Section, list_url, register
from longshore.accounts.models import ApiKey, AuditEntry, Organization
from longshore.accounts.roles import has_field, role_names

MAX_PEOPLE = 20
_SEE_ALL = "Users who are bound to no organization see all of them."


def _no_tables(request: HttpRequest, organization: Organization) -> list[Table]:
    return []


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
    found = list(people.order_by(model.USERNAME_FIELD)[: MAX_PEOPLE + 1])
    rows = [
        [
            link(change_url(person), person.get_username()),
            ", ".join(role_names(person)) or EMPTY,
            exact_time(person.last_login),
        ]
        for person in found[:MAX_PEOPLE]
    ]
    shown = table("", ["Bound to this organization", "Roles", "Last sign-in"], rows)
    empty = "Nobody is bound to this organization."
    note = _SEE_ALL
    if len(found) > MAX_PEOPLE:
        note = f"And {people.count() - MAX_PEOPLE:,} more. {note}"
    return [shown | {"empty": empty, "note": note}]


def _people_links(request: HttpRequest, organization: Organization) -> list[tuple[str, str]]:
    return [("All users", reverse(admin_urlname(get_user_model()._meta, "changelist")))]  # type: ignore[arg-type]


def _entry_links(request: HttpRequest, organization: Organization) -> list[tuple[str, str]]:
    return [("The whole audit log", list_url("longshore_accounts_auditentry", organization))]


_KEYS = RecordList(
    ApiKeyAdmin, ("name", "key_prefix", "scope_list", "status_label", "last_used", "expires")
)
_ENTRIES = RecordList(AuditEntryAdmin, ("time", "person", "what", "target", "address"))

register(Section("API keys", 1, ApiKey, _no_tables, _key_links, _KEYS))
register(Section("Staff", 50, get_user_model(), _people, _people_links))
register(Section("Audit log", 60, AuditEntry, _no_tables, _entry_links, _ENTRIES))
