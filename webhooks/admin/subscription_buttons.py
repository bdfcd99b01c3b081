"""The buttons of a subscription, and the forms that create and change one."""

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import AdminForm, BaseDialogForm

from longshore.accounts.admin.dialogs import confirmation
from longshore.accounts.admin.shown_once import shown_once
from longshore.api.errors import ApiError
from longshore.jobs.admin.pages import ReadOnlyModelAdmin
from webhooks import actions, envelopes, subscriptions
from webhooks.admin import presentation
from webhooks.admin.forms import (
    ChangedSubscriptionForm,
    NewSubscriptionForm,
    SinceForm,
    SubscriptionForm,
)
from webhooks.lifecycle import activation
from webhooks.models import Subscription

# The control of the form that has the last rotation before it was opened.
_ROTATION = "rotation"
_OVERLAP_HOURS = int(subscriptions.OVERLAP.total_seconds() // 3600)


class SubscriptionButtons(ReadOnlyModelAdmin):
    """What people with permissions do with subscriptions. The operations are those of the API."""

    # Fields of the forms that are only shown if an expression is true.
    conditional_fields: ClassVar[dict[str, str]] = {"events": "!all_events"}
    actions_detail: Sequence[str] = (
        *("send_test", "recover", "enable", "edit", "rotate_secret", "disable"),
        "delete_subscription",
    )

    # --- Create and change -------------------------------------------------------------------

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the form of a new subscription; after it was created, its secret."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        data = request.POST or None
        form = NewSubscriptionForm(request.user, data, initial=request.GET.dict())
        if form.is_valid():
            organization = form.cleaned_data["organization"]
            try:
                with transaction.atomic():
                    created, secret = subscriptions.create(organization.pk, form.values)
                    self.log_addition(request, created, "Created.")
            except ApiError as error:
                form.add_api_error(error)
            else:
                return self._show_secret(request, created, secret, "Webhook created")
        return self._show_form(request, form, "New webhook", "Create", self.page_url("changelist"))

    @action(description="Edit", icon="edit", permissions=["edit"])
    def edit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        found = self._found(object_id)
        page = self.page_url("change", found.pk)
        form = ChangedSubscriptionForm(found, request.POST or None)
        if form.is_valid() and not form.changed_data:
            self.message_user(request, "Nothing was changed.")
            return redirect(page)
        if form.is_valid():
            try:
                with transaction.atomic():
                    subscriptions.change(found, form.values)
                    self.log_change(request, found, f"Changed {', '.join(form.changed_labels)}.")
            except ApiError as error:
                form.add_api_error(error)
            else:
                self.message_user(request, "The webhook was changed.")
                return redirect(page)
        title = f"Edit {presentation.title_of(found)}"
        return self._show_form(request, form, title, "Save", page)

    @action(description="Rotate secret", icon="key", permissions=["edit"])
    def rotate_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for a confirmation; then show the new secret in this response only."""
        found = self._found(object_id)
        if request.method != "POST":
            ends_at = found.previous_secret_ends_at
            overlaps = envelopes.signs_with_all_secrets(found.dialect)
            context = {
                **self._context(request, "Rotate the secret?"),
                "heading": presentation.title_of(found),
                "hours": _OVERLAP_HOURS if overlaps else None,
                "is_overlapping": overlaps and ends_at is not None and ends_at > timezone.now(),
                "back": self.page_url("change", found.pk),
                "rotation_name": _ROTATION,
                "rotation": _last_rotation(found),
            }
            return TemplateResponse(request, "admin/webhooks/rotate.html", context)
        with transaction.atomic():
            found = Subscription.objects.select_for_update(no_key=True).get(pk=found.pk)
            if request.POST.get(_ROTATION, "") != _last_rotation(found):
                text = "The secret has been rotated since you opened the page. Rotate it again?"
                self.message_user(request, text, messages.ERROR)
                return redirect(request.path)
            secret = subscriptions.rotate(found, None)
            effect = _effect_of_rotation(found)
            self.log_change(request, found, f"Rotated. {effect}")
        return self._show_secret(request, found, secret, "Secret rotated", effect)

    def _show_form(
        self, request: HttpRequest, form: SubscriptionForm, title: str, button: str, back: str
    ) -> HttpResponse:
        shown = {"fields": [field.name for field in form.visible_fields()]}
        context = {
            **self._context(request, title),
            "form": form,
            "adminform": AdminForm(form, [(title, shown)], {}, (), self),
            "button": button,
            "back": back,
        }
        return TemplateResponse(request, "admin/webhooks/form.html", context)

    def _show_secret(
        self,
        request: HttpRequest,
        subscription: Subscription,
        secret: str,
        title: str,
        effect: str = "",
    ) -> HttpResponse:
        context = {
            **self._context(request, title),
            "heading": presentation.title_of(subscription),
            "effect": effect,
            "is_native": not subscription.dialect,
            "usage_template": "admin/webhooks/usage.html",
        }
        text = "Copy the signing secret now. It cannot be shown again."
        return shown_once(request, context, secret, text, self.page_url("change", subscription.pk))

    def _context(self, request: HttpRequest, title: str) -> dict[str, Any]:
        site = self.admin_site.each_context(request)
        return {**site, "opts": self.opts, "media": self.media, "title": title}

    # --- Buttons with a dialog ---------------------------------------------------------------

    @action(
        description="Send a test",
        icon="send",
        permissions=["send"],
        dialog=confirmation(
            "Send a test?",
            "The target receives a webhook.test event, signed like any other. A target that has "
            "not repeated its challenge gets a new webhook.challenge instead.",
            "Send the test",
        ),
    )
    def send_test(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        found = self._found(object_id)
        return self.run_action(request, found, lambda: actions.test(found), "A test was queued.")

    @action(
        description="Recover",
        icon="replay",
        permissions=["send"],
        dialog=confirmation(
            "Send failed deliveries again?",
            "Failed deliveries of events since this time are sent now. They keep their ids: the "
            "receiver can detect duplicates.",
            "Recover",
            SinceForm,
        ),
    )
    def recover(self, request: HttpRequest, form: SinceForm, object_id: str) -> HttpResponse:
        found, since = self._found(object_id), form.cleaned_data["since"]
        recover = partial(actions.recover, found, since)
        return self.run_action(request, found, recover, "Deliveries queued again: {}.")

    @action(
        description="Enable",
        icon="play_arrow",
        permissions=["enable"],
        dialog=confirmation(
            "Enable this webhook?",
            "It receives new events from now on. Failed deliveries are sent again only by Recover.",
            "Enable",
        ),
    )
    def enable(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._switch(request, object_id, active=True)

    @action(
        description="Disable",
        icon="block",
        variant=ActionVariant.WARNING,
        permissions=["disable"],
        dialog=confirmation(
            "Disable this webhook?",
            "Nothing more is sent, and pending deliveries fail. You can enable it again.",
            "Disable",
        ),
    )
    def disable(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._switch(request, object_id, active=False)

    @action(
        description="Delete",
        icon="delete",
        variant=ActionVariant.DANGER,
        permissions=["remove"],
        dialog=confirmation(
            "Delete this webhook?",
            "Nothing more is sent, and its deliveries disappear. This cannot be undone.",
            "Delete the webhook",
        ),
    )
    def delete_subscription(
        self, request: HttpRequest, form: BaseDialogForm, object_id: str
    ) -> HttpResponse:
        found = self._found(object_id)
        with transaction.atomic():
            activation.soft_delete(found)
            self.log_deletions(request, [found])
        self.message_user(request, f"{presentation.title_of(found)} was deleted.")
        return HttpResponseClientRedirect(self.page_url("changelist"))

    def _switch(self, request: HttpRequest, object_id: str, *, active: bool) -> HttpResponse:
        found = self._found(object_id)
        done = "The webhook was enabled." if active else "The webhook was disabled."
        return self.run_action(
            request, found, lambda: subscriptions.change(found, {"active": active}), done
        )

    def _found(self, object_id: str) -> Subscription:
        return get_object_or_404(self.by_key(Subscription.objects.visible(), object_id))

    # --- Permissions -------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("webhooks.add_subscription")

    def has_edit_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("webhooks.change_subscription")

    def has_remove_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("webhooks.delete_subscription")

    def has_send_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self.has_edit_permission(request) and self._is(object_id, active=True)

    def has_enable_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self.has_edit_permission(request) and self._is(object_id, active=False)

    def has_disable_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self.has_edit_permission(request) and self._is(object_id, active=True)

    def _is(self, object_id: str | None, *, active: bool) -> bool:
        """Return whether a subscription is visible, and active or not."""
        switched = Subscription.objects.visible().filter(active=active)
        return self.by_key(switched, object_id).exists()


def _last_rotation(subscription: Subscription) -> str:
    """Return what tells rotations apart; "" before the first one."""
    ends_at = subscription.previous_secret_ends_at
    return ends_at.isoformat() if ends_at else ""


def _effect_of_rotation(subscription: Subscription) -> str:
    """Return for how long the previous secret signs, as a sentence."""
    if envelopes.signs_with_all_secrets(subscription.dialect):
        return f"The previous secret signs for {_OVERLAP_HOURS} more hours."
    return "The previous secret does not sign any more."
