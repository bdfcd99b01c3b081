"""Admin of users and of their roles."""

from collections import defaultdict
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import AbstractUser, Group, User
from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from rest_framework_api_key.models import APIKey
from unfold.decorators import display
from unfold.forms import (
    AdminPasswordChangeForm,
    UserChangeForm,
    UserCreationForm,
)

from longshore.accounts.admin.base import StaffModelAdmin
from longshore.accounts.admin.people import PeopleAdmin
from longshore.accounts.admin.presentation import EMPTY
from longshore.accounts.roles import Role, has_field

# APIKey is the model of the library; Longshore uses its own, ApiKey.
admin.site.unregister((Group, APIKey))
# The names of the sidebar. They are not part of a migration: Django keeps the declared ones.
Group._meta.verbose_name, Group._meta.verbose_name_plural = "role", "roles"
apps.get_app_config("auth").verbose_name = "Access"


class UserAdmin(BaseUserAdmin, PeopleAdmin):  # type: ignore[type-arg, misc]
    """Users of a model that derives from Django's `AbstractUser`, with all their fields."""

    personal_fields = ("first_name", "last_name", "email")
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_filter = ("groups", "is_active", "is_staff")

    def get_list_display(self, request: HttpRequest) -> Any:
        first = (self.model.USERNAME_FIELD, "full_name")
        return (*first, *super().get_list_display(request)[1:])

    def get_fieldsets(self, request: HttpRequest, obj: AbstractUser | None = None) -> Any:
        """Return the fieldsets of Django, and one with the fields that the model adds."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return fieldsets
        known = {field.name for field in (*User._meta.get_fields(), self.model._meta.pk)}
        added = [
            field.name
            for field in (*self.model._meta.fields, *self.model._meta.many_to_many)
            if field.editable and field.name not in known
        ]
        return (*fieldsets, ("More", {"fields": added})) if added else fieldsets

    def has_add_permission(self, request: HttpRequest) -> bool:
        return StaffModelAdmin.has_add_permission(self, request)

    @display(description="Name")
    def full_name(self, user: AbstractUser) -> str:
        return user.get_full_name() or EMPTY


@admin.register(Group)
class GroupAdmin(BaseGroupAdmin, StaffModelAdmin):  # type: ignore[misc]
    """Roles. Those that Longshore sets up cannot be changed: `migrate` would restore them."""

    organization_path = None
    audits_values = True
    compressed_fields = False
    list_display = ("name", "description")

    def get_fieldsets(self, request: HttpRequest, obj: Group | None = None) -> Any:
        if _is_own(obj):
            return ((None, {"fields": ("name", "description", "granted")}),)
        return super().get_fieldsets(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> Any:
        return ("name", "description", "granted") if _is_own(obj) else ()

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return not _is_own(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return not _is_own(obj) and super().has_delete_permission(request, obj)

    @display(description="Permissions")
    def description(self, group: Group) -> str:
        return Role(group.name).summary if _is_own(group) else "Custom role"

    @display(description="May")
    def granted(self, group: Group) -> SafeString:
        """Return what the role may do with the pages of each app."""
        verbs = defaultdict[type[Model], list[str]](list)
        for permission in group.permissions.select_related("content_type"):
            model = permission.content_type.model_class()
            if model and self.admin_site.is_registered(model):
                verbs[model].append(permission.codename.partition("_")[0])
        plurals = defaultdict[tuple[str, str], list[str]](list)
        for model, own in verbs.items():
            app = str(apps.get_app_config(model._meta.app_label).verbose_name)
            plurals[app, ", ".join(sorted(own))].append(str(model._meta.verbose_name_plural))
        lines = ((*key, ", ".join(sorted(names))) for key, names in sorted(plurals.items()))
        return format_html_join("", "<p><strong>{}</strong> {}: {}</p>", lines)


def _is_own(group: Group | None) -> bool:
    return group is not None and group.name in list(Role)


def register_own_model() -> None:
    """Register the project's AUTH_USER_MODEL, unless the project has a page for it.

    Call it when all admin modules are loaded, so that a page of the project takes precedence.
    """
    model: Any = get_user_model()
    if not admin.site.is_registered(model):
        # Django's page needs the field `username`, which a subclass may remove.
        is_usual = issubclass(model, AbstractUser) and has_field(model, "username")
        admin.site.register(model, UserAdmin if is_usual else PeopleAdmin)


if settings.AUTH_USER_MODEL == "auth.User":
    # At once, so that a page of the project replaces this one.
    admin.site.unregister(User)
    admin.site.register(User, UserAdmin)
