"""Admin of API keys: issued and shown once, renamed, revoked, never deleted."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_htmx.http import HttpResponseClientRedirect
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from longshore.accounts.admin.base import StaffModelAdmin
from longshore.accounts.admin.dialogs import confirmation
from longshore.accounts.admin.filters import RelatedFilter
from longshore.accounts.admin.presentation import badge, exact_time, relative_and_exact_time
from longshore.accounts.admin.shown_once import shown_once
from longshore.accounts.models import ApiKey, KeyStatus, Scope

# The value of the filter and of the label of an active key that expires soon.
EXPIRING = "expires soon"
STATUS_COLORS = {
    KeyStatus.ACTIVE: "success",
    EXPIRING: "warning",
    KeyStatus.EXPIRED: "warning",
    KeyStatus.REVOKED: "danger",
}


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=ApiKey._meta.get_field("scopes").help_text,
    )

    def clean_expiry_date(self) -> Any:
        expiry_date = self.cleaned_data["expiry_date"]
        if self.instance._state.adding and expiry_date and expiry_date < timezone.now():
            raise forms.ValidationError("A new key cannot have expired already.")
        return expiry_date


class StatusFilter(admin.SimpleListFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*KeyStatus.choices, (EXPIRING, EXPIRING.capitalize())]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        value = self.value()
        if value == EXPIRING:
            return queryset.filter(pk__in=ApiKey.objects.expiring_soon())
        if value in KeyStatus.values:
            return queryset.filter(pk__in=ApiKey.objects.with_status(KeyStatus(value)))
        return queryset


@admin.register(ApiKey)
class ApiKeyAdmin(StaffModelAdmin):
    audits_values = True
    hidden_fields = ("hashed_key",)
    form = ApiKeyForm
    list_display = (
        "name",
        "key_prefix",
        "organization",
        "scope_list",
        "status_label",
        "last_used",
        "expires",
    )
    list_filter = (StatusFilter, ("organization", RelatedFilter))
    list_filter_submit = True
    list_select_related = ("organization",)
    search_fields = ("name", "prefix", "organization__name", "organization__slug")
    autocomplete_fields = ("organization",)
    actions = ("revoke_selected",)
    actions_detail = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        editable = ("organization", "name", "scopes", "expiry_date")
        if obj is None:
            return editable
        return ("status", *editable, "key_prefix", "last_use", "issued")

    def get_readonly_fields(
        self, request: HttpRequest, obj: ApiKey | None = None
    ) -> tuple[str, ...]:
        if obj is None:
            return ()
        return ("status", "organization", "key_prefix", "last_use", "issued")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"scopes": Scope.values, **super().get_changeform_initial_data(request)}

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Forbid changes of a revoked key."""
        changeable = obj is None or not obj.revoked
        return changeable and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Forbid deletion, because a revoked key documents until when access existed."""
        return False

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        only_save = {"show_save_and_continue": False, "show_save_and_add_another": False}
        context = {"title": "Issue an API key", **only_save, **(extra_context or {})}
        response: HttpResponse = super().add_view(request, form_url, context)
        return response

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if not change:
            obj.issued_key = ApiKey.objects.assign_key(obj)
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the key in this response only: no message, session or cache contains it."""
        context = {
            **self.admin_site.each_context(request),
            "title": "API key issued",
            "opts": self.opts,
            "heading": f"{obj.name}, for {obj.organization}",
            "url": request.build_absolute_uri("/v1/resources"),
            "usage_template": "admin/longshore_accounts/apikey/usage.html",
        }
        text = "Copy the key now. Only a hash of it is stored, so it cannot be shown again."
        change_url = reverse("admin:longshore_accounts_apikey_change", args=[obj.pk])
        return shown_once(request, context, obj.issued_key, text, change_url)

    @admin.action(description="Revoke selected API keys", permissions=["change"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        count = self._revoke(request, queryset)
        self.message_user(request, f"Revoked {count} API key{'' if count == 1 else 's'}.")

    @action(
        description="Revoke",
        icon="block",
        variant=ActionVariant.DANGER,
        permissions=["revoke"],
        dialog=confirmation(
            "Revoke this API key?",
            "Requests with this key are refused from now on. This cannot be undone.",
            "Revoke",
        ),
    )
    def revoke(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        self._revoke(request, ApiKey.objects.filter(pk=object_id))
        self.message_user(request, "The API key was revoked.")
        page = reverse("admin:longshore_accounts_apikey_change", args=[object_id])
        return HttpResponseClientRedirect(page)

    def _revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> int:
        """Revoke keys that are not revoked yet and log it in their history. Return how many."""
        with transaction.atomic():
            api_keys = list(queryset.filter(revoked=False))
            ApiKey.objects.filter(pk__in=[api_key.pk for api_key in api_keys]).update(revoked=True)
            self.log_changes(request, api_keys, "Revoked.")
        return len(api_keys)

    def has_revoke_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Return whether the key is not revoked and the user may change keys."""
        active = ApiKey.objects.filter(pk=object_id, revoked=False)
        return self.has_change_permission(request) and active.exists()

    @display(description="Status", label=STATUS_COLORS)
    def status_label(self, api_key: ApiKey) -> str:
        return EXPIRING if api_key.expires_soon else api_key.status.value

    @display(description="Status")
    def status(self, api_key: ApiKey) -> SafeString:
        """Return the label for the page of a key, on which Unfold does not make one."""
        status = self.status_label(api_key)
        return badge(status.capitalize(), STATUS_COLORS[status])

    @display(description="Last used")
    def last_use(self, api_key: ApiKey) -> str:
        used = api_key.last_used_at
        return f"{naturaltime(used)}, {exact_time(used)}" if used else "Never"

    @display(description="Issued")
    def issued(self, api_key: ApiKey) -> str:
        return exact_time(api_key.created)

    @display(description="Prefix")
    def key_prefix(self, api_key: ApiKey) -> SafeString:
        return format_html("<code>{}</code>", api_key.prefix)

    @display(description="Scopes", label=True)
    def scope_list(self, api_key: ApiKey) -> list[str]:
        return api_key.scopes

    @display(description="Last used", ordering="last_used_at", header=True)
    def last_used(self, api_key: ApiKey) -> tuple[str, str]:
        used = api_key.last_used_at
        return relative_and_exact_time(used) if used else ("Never", "")

    @display(description="Expires", ordering="expiry_date", header=True)
    def expires(self, api_key: ApiKey) -> tuple[str, str]:
        ends = api_key.expiry_date
        return relative_and_exact_time(ends) if ends else ("Never", "")
