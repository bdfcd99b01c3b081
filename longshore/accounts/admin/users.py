"""Admin of users, of the organizations that they are bound to, and of their roles."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from rest_framework_api_key.models import APIKey
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import (
    AdminPasswordChangeForm,
    BaseDialogForm,
    UserChangeForm,
    UserCreationForm,
)

from longshore.accounts.admin.base import StaffModelAdmin, StaffStackedInline
from longshore.accounts.admin.dialogs import close_dialog, confirmation
from longshore.accounts.admin.presentation import EMPTY
from longshore.accounts.admin.timezones import own_timezone_field
from longshore.accounts.models import SecondFactor, StaffProfile
from longshore.accounts.roles import Role

# APIKey is the model of the library; Longshore uses its own, ApiKey.
admin.site.unregister((User, Group, APIKey))


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    timezone = own_timezone_field()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("organizations") and not cleaned.get("is_bound"):
            self.add_error("is_bound", "Check this, or remove the organizations.")
        return cleaned


class ProfileInline(StaffStackedInline):
    model = StaffProfile
    form = ProfileForm
    fields = ("is_bound", "organizations", "timezone")
    autocomplete_fields = ("organizations",)
    can_delete = False
    verbose_name = verbose_name_plural = "Organizations and time zone"


@admin.register(User)
class UserAdmin(BaseUserAdmin, StaffModelAdmin):  # type: ignore[type-arg, misc]
    """Users. Only a superuser may change superusers or make somebody one."""

    organization_path = None
    audits_values = True
    personal_fields = ("first_name", "last_name", "email")
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    # Labels above the fields: the two-column permission selectors need the whole width.
    compressed_fields = False
    list_display = (
        "username",
        "full_name",
        "roles",
        "sees",
        "second_factor",
        "is_active",
        "last_login",
    )
    list_filter = ("groups", "is_active", "is_staff")
    inlines = (ProfileInline,)
    actions_detail = ("reset_second_factor",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        users: QuerySet[User] = super().get_queryset(request)
        return users.select_related("staff_profile", "second_factor").prefetch_related(
            "groups", "staff_profile__organizations"
        )

    def get_inlines(self, request: HttpRequest, obj: User | None) -> tuple[type[Any], ...]:
        """Leave out the profile of a user who is not stored yet."""
        return () if obj is None else self.inlines

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        if request.user.is_superuser:
            return super().get_readonly_fields(request, obj)
        return (*super().get_readonly_fields(request, obj), "is_superuser", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return _may_manage(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return _may_manage(request, obj) and super().has_delete_permission(request, obj)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs |= {"label": "Roles", "help_text": "The user has the permissions of all roles."}
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @action(
        description="Reset second factor",
        icon="mobile_off",
        variant=ActionVariant.DANGER,
        permissions=["reset_second_factor"],
        dialog=confirmation(
            "Reset the second factor of this user?",
            "The user then signs in with the password alone, and can set up another app. Make sure "
            "that the request came from the user.",
            "Reset",
        ),
    )
    def reset_second_factor(
        self, request: HttpRequest, form: BaseDialogForm, object_id: str
    ) -> HttpResponse:
        user = User.objects.get(pk=object_id)
        SecondFactor.objects.filter(user=user).delete()
        self.log_change(request, user, "Reset the second factor.")
        self.message_user(request, "The second factor was reset.")
        return close_dialog(reverse("admin:auth_user_change", args=[object_id]))

    def has_reset_second_factor_permission(self, request: HttpRequest, object_id: str) -> bool:
        """Return whether the user has a second factor, and is somebody else than the person.

        People turn off their own with their password.
        """
        user = User.objects.filter(pk=object_id, second_factor__isnull=False).first()
        is_other = user is not None and user != request.user
        return is_other and self.has_change_permission(request, user)

    @display(description="Second factor", boolean=True)
    def second_factor(self, user: User) -> bool:
        return hasattr(user, "second_factor")

    @display(description="Name")
    def full_name(self, user: User) -> str:
        return user.get_full_name() or EMPTY

    @display(description="Roles", label=True)
    def roles(self, user: User) -> list[str]:
        names = [group.name for group in user.groups.all()]
        return ["Superuser", *names] if user.is_superuser else names

    @display(description="Organizations")
    def sees(self, user: User) -> str:
        profile: StaffProfile | None = getattr(user, "staff_profile", None)
        if profile is None or not profile.is_bound:
            return "All organizations"
        return ", ".join(map(str, profile.organizations.all())) or "No organization"


def _may_manage(request: HttpRequest, user: User | None) -> bool:
    return request.user.is_superuser or user is None or not user.is_superuser


@admin.register(Group)
class GroupAdmin(BaseGroupAdmin, StaffModelAdmin):  # type: ignore[misc]
    """Roles. Those that Longshore sets up cannot be changed: `migrate` would restore them."""

    organization_path = None
    audits_values = True
    compressed_fields = False
    list_display = ("name", "description")

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return not _is_own(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return not _is_own(obj) and super().has_delete_permission(request, obj)

    @display(description="Permissions")
    def description(self, group: Group) -> str:
        return Role(group.name).summary if _is_own(group) else "Custom role"


def _is_own(group: Group | None) -> bool:
    return group is not None and group.name in list(Role)
