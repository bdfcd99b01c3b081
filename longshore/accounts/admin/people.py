"""Base of the page of people: the organizations that they are bound to, second factor, roles.

It works with every AUTH_USER_MODEL. `users` has the page for models that derive from Django's
`AbstractUser`.
"""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from longshore.accounts.admin.base import StaffModelAdmin, StaffStackedInline
from longshore.accounts.admin.dialogs import confirmation
from longshore.accounts.admin.timezones import own_timezone_field
from longshore.accounts.models import SecondFactor, StaffProfile
from longshore.accounts.roles import has_field, is_superuser, role_names

# What decides where a person may sign in, and what the person may do there.
ACCESS_FIELDS = ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")


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


class PeopleAdmin(StaffModelAdmin):
    """People. Only a superuser may change superusers or make somebody one.

    By default the page changes only what concerns access (ACCESS_FIELDS), and creates nobody: what
    a new person needs is known to a subclass only, or to `manage.py createsuperuser`.
    """

    organization_path = None
    audits_values = True
    hidden_fields = ("password",)
    # Labels above the fields: the two-column permission selectors need the whole width.
    compressed_fields = False
    inlines = (ProfileInline,)
    actions_detail = ("reset_second_factor",)

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        own = ("roles", "sees", "second_factor")
        return ("__str__", *own, *filter(self._has, ("is_active", "last_login")))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        return (self.model.USERNAME_FIELD, *filter(self._has, ACCESS_FIELDS))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        people: QuerySet[Any] = super().get_queryset(request)
        related = ["staff_profile__organizations", *(["groups"] if self._has("groups") else [])]
        return people.select_related("staff_profile", "second_factor").prefetch_related(*related)

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> tuple[type[Any], ...]:
        """Leave out the profile of a person who is not stored yet."""
        return () if obj is None else tuple(self.inlines)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        if is_superuser(request.user):
            return fields
        return (*fields, *filter(self._has, ("is_superuser", "user_permissions")))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may_manage(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may_manage(request, obj) and super().has_delete_permission(request, obj)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs |= {
                "label": "Roles",
                "help_text": "The user has the permissions of all roles.",
                "widget": UnfoldAdminCheckboxSelectMultipleWidget(),
            }
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
        person = get_object_or_404(self._person(object_id))
        with transaction.atomic():
            SecondFactor.objects.filter(user=person).delete()
            self.log_change(request, person, "Reset the second factor.")
        self.message_user(request, "The second factor was reset.")
        return HttpResponseClientRedirect(change_url(person))

    def has_reset_second_factor_permission(self, request: HttpRequest, object_id: str) -> bool:
        """Return whether the user has a second factor, and is somebody else than the person.

        People turn off their own with their password.
        """
        person = self._person(object_id).filter(second_factor__isnull=False).first()
        is_other = person is not None and person != request.user
        return is_other and self.has_change_permission(request, person)

    @display(description="Second factor", boolean=True)
    def second_factor(self, person: Model) -> bool:
        return hasattr(person, "second_factor")

    @display(description="Roles", label=True)
    def roles(self, person: Model) -> list[str]:
        names = role_names(person)
        return ["Superuser", *names] if is_superuser(person) else names

    @display(description="Organizations")
    def sees(self, person: Model) -> str:
        profile: StaffProfile | None = getattr(person, "staff_profile", None)
        if profile is None or not profile.is_bound:
            return "All organizations"
        return ", ".join(map(str, profile.organizations.all())) or "No organization"

    def _person(self, object_id: str) -> QuerySet[Any]:
        return self.by_key(get_user_model()._default_manager.all(), object_id)

    def _has(self, name: str) -> bool:
        return has_field(self.model, name)


def change_url(person: AbstractBaseUser) -> str:
    """Return the address of the page of a person."""
    return reverse(admin_urlname(person._meta, "change"), args=[person.pk])  # type: ignore[arg-type]


def _may_manage(request: HttpRequest, person: Any) -> bool:
    return is_superuser(request.user) or person is None or not is_superuser(person)
