"""The roles of the staff: groups of permissions that every `migrate` sets up.

Each role has the permissions of the roles before it. What belongs to which role follows from the
kind of a permission, so that the models of every installed app, including apps added later, have
roles without a declaration.
"""

from enum import StrEnum
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, prefetch_related_objects


class Role(StrEnum):
    """The names of the groups, in rising order."""

    VIEWER = "Viewer"
    SUPPORT = "Support"
    OPERATOR = "Operator"
    ADMINISTRATOR = "Administrator"

    @property
    def summary(self) -> str:
        return _SUMMARIES[self]


_SUMMARIES = {
    Role.VIEWER: "See everything but the audit log and users",
    Role.SUPPORT: "See, preview and download",
    Role.OPERATOR: "Everything but API keys and users",
    Role.ADMINISTRATOR: "Everything",
}

# Kinds of permission: the first word of a codename. Others are of operators.
_KINDS = {"view": Role.VIEWER, "download": Role.SUPPORT, "preview": Role.SUPPORT}
# Only administrators manage people, and see technical tables.
_ADMINISTRATOR_APPS = {
    "admin",
    "auth",
    "axes",
    "contenttypes",
    "rest_framework_api_key",
    "sessions",
}
# The roles of all permissions for a model, the one to view it too.
_ALL_PERMISSIONS = {
    ("longshore_accounts", "staffprofile"): Role.ADMINISTRATOR,
    ("longshore_accounts", "auditentry"): Role.OPERATOR,
}
# The roles of the permissions that change a model.
_CHANGE_PERMISSIONS = {("longshore_accounts", "apikey"): Role.ADMINISTRATOR}


def lowest_role(app_label: str, model: str, codename: str) -> Role:
    """Return the lowest role that has a permission."""
    kind = codename.partition("_")[0]
    is_user = f"{app_label}.{model}" == settings.AUTH_USER_MODEL.lower()
    if app_label in _ADMINISTRATOR_APPS or is_user:
        return Role.ADMINISTRATOR
    if (app_label, model) in _ALL_PERMISSIONS:
        return _ALL_PERMISSIONS[app_label, model]
    if kind in _KINDS:
        return _KINDS[kind]
    return _CHANGE_PERMISSIONS.get((app_label, model), Role.OPERATOR)


def grant(sender: AppConfig, using: str, **_: Any) -> None:
    """Give each role exactly its permissions for the models of an app.

    Receiver of `post_migrate`, which is sent for every app after its permissions were created.
    Permissions that somebody added to the groups by hand are removed.
    """
    permissions = Permission.objects.using(using).filter(content_type__app_label=sender.label)
    lowest = {
        permission: lowest_role(sender.label, permission.content_type.model, permission.codename)
        for permission in permissions.select_related("content_type")
    }
    order = list(Role)
    for role in order:
        group, _created = Group.objects.using(using).get_or_create(name=role.value)
        has = {each for each, low in lowest.items() if order.index(low) <= order.index(role)}
        group.permissions.add(*has)
        group.permissions.remove(*(lowest.keys() - has))


def has_field(model: type[Model], name: str) -> bool:
    """Return whether a user model has a field: only some of its fields are required."""
    try:
        model._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    return True


def is_superuser(person: Any) -> bool:
    """Return whether a person is a superuser; false for user models without this field."""
    return getattr(person, "is_superuser", False) is True


def role_names(person: Any) -> list[str]:
    """Return the names of a person's groups; none for user models without groups.

    The user object caches them: a request reads them once.
    """
    if not (isinstance(person, Model) and hasattr(person, "groups")):
        return []
    # Not for a property. `type()` of `request.user` is SimpleLazyObject.
    if has_field(person.__class__, "groups"):
        prefetch_related_objects([person], "groups")
    return [group.name for group in person.groups.all()]
