"""The pages on which people change their own settings, linked from the user menu."""

from http import HTTPStatus

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from longshore.accounts import audit, staff
from longshore.accounts.admin.timezones import own_timezone_field
from longshore.accounts.models import AuditAction, StaffProfile


class PreferencesForm(forms.Form):
    timezone = own_timezone_field()

    class Media:
        js = ("longshore_accounts/timezone.js",)


@transaction.atomic
def password_change(request: HttpRequest) -> HttpResponse:
    """Show or store the password of the signed-in person, and record a change."""
    response: HttpResponse = admin.site.password_change(request)
    is_changed = request.method == "POST" and response.status_code == HTTPStatus.FOUND
    if is_changed and request.user.is_authenticated:
        message = "Changed their own password."
        audit.record(request, AuditAction.CHANGE, None, request.user, message)
    return response


def preferences(request: HttpRequest) -> HttpResponse:
    """Show or store the settings of the signed-in person."""
    initial = {"timezone": staff.access(request.user).timezone}
    form = PreferencesForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        zone = form.cleaned_data["timezone"] or "UTC"
        with transaction.atomic():
            StaffProfile.objects.update_or_create(pk=request.user.pk, defaults=form.cleaned_data)
            audit.record(request, AuditAction.CHANGE, None, "Time zone", f"Changed to {zone}.")
        messages.success(request, f"Times are now shown in {zone}.")
        return redirect("staff_preferences")
    context = {**admin.site.each_context(request), "title": "Time zone", "form": form}
    return TemplateResponse(request, "admin/preferences.html", context)
