"""`/api/webhooks` and `/api/event_callbacks`."""

from collections.abc import Mapping, Sequence

from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from dialects.commercelayer.documentation.operations import operations
from dialects.commercelayer.documents import Shown, read_attributes
from dialects.commercelayer.events.rendering import events
from dialects.commercelayer.names import DIALECT
from dialects.commercelayer.views import DocumentViewSet
from dialects.commercelayer.webhooks.envelope import payloads
from dialects.commercelayer.webhooks.rendering import (
    CALLBACKS,
    WEBHOOKS,
    render_callback,
    render_webhook,
)
from dialects.commercelayer.webhooks.requests import CHANGED, CREATED, RESET, read_change, read_new
from longshore.accounts.authentication import key_of
from longshore.accounts.models import ApiKey, Scope
from longshore.api.idempotency import idempotent
from longshore.resources.readers import unreadable
from webhooks import subscriptions
from webhooks.lifecycle import activation
from webhooks.models import Attempt, Delivery, Event, Subscription
from webhooks.payloads import complete

# Callbacks that a document of webhooks includes.
_MAX_INCLUDED = 100


def _webhooks(organization_id: str) -> QuerySet[Subscription]:
    """Return the webhooks of an organization: its subscriptions that this dialect created."""
    visible = Subscription.objects.visible()
    return visible.filter(organization=organization_id, dialect=DIALECT)


def _callbacks(api_key: ApiKey) -> QuerySet[Delivery]:
    """Return the deliveries that an API key may read, with their newest attempts.

    They are those of the webhooks of its organization. Their events have links to files.
    """
    organization_id = api_key.organization_id
    deliveries = Delivery.objects.filter(subscription__in=_webhooks(organization_id))
    if hidden := unreadable(api_key):
        events_of_others = Event.objects.filter(hidden, organization=organization_id)
        deliveries = deliveries.exclude(event__in=events_of_others)
    attempts = Prefetch("attempts", Attempt.objects.newest())
    return deliveries.select_related("event", "subscription").prefetch_related(attempts)


def _render(deliveries: Sequence[Delivery]) -> list[Shown]:
    """Return deliveries of one organization as documents show them."""
    events = [delivery.event for delivery in deliveries]
    messages = payloads(events, complete(events))
    return [
        render_callback(delivery, message)
        for delivery, message in zip(deliveries, messages, strict=True)
    ]


@extend_schema_view(
    **operations(
        WEBHOOKS,
        "webhook",
        create="Subscribes a URL to one topic. Deliveries are documents of the changed object with "
        "the header `X-CommerceLayer-Signature`: the Base64 of the HMAC-SHA256 of the body with "
        "`shared_secret` as its key.",
        update="Changes a webhook. `_disable` and `_enable` switch it; `_reset_circuit` resets its "
        "failures and closes an open circuit.",
        delete="Deletes a webhook.",
    )
)
class WebhookViewSet(DocumentViewSet[Subscription]):
    """The webhooks of the organization."""

    kind = WEBHOOKS
    lookup_value_regex = r"whsub_\w+"

    def get_queryset(self) -> QuerySet[Subscription]:
        return _webhooks(self.organization.pk)

    def show(self, rows: Sequence[Subscription]) -> list[Shown]:
        # A key with the scope `write` could create a webhook with a secret of its own anyway.
        shows_secret = Scope.WRITE.value in key_of(self.request).scopes
        return [render_webhook(row, shows_secret=shows_secret) for row in rows]

    def related(self, name: str, rows: Sequence[Subscription]) -> Mapping[str, Sequence[Shown]]:
        newest = _callbacks(key_of(self.request)).filter(subscription__in=rows)
        deliveries = list(newest.order_by("-created_at")[:_MAX_INCLUDED])
        found: dict[str, list[Shown]] = {}
        for delivery, shown in zip(deliveries, _render(deliveries), strict=True):
            found.setdefault(delivery.subscription.public_id, []).append(shown)
        return found

    @idempotent
    def create(self, request: Request) -> Response:
        attributes = read_attributes(self.json_body(request), self.kind.name, CREATED)
        webhook, _ = subscriptions.create(self.organization.pk, read_new(attributes))
        return self.respond(webhook, status=201)

    def partial_update(self, request: Request, public_id: str) -> Response:
        body = self.json_body(request)
        attributes = read_attributes(body, self.kind.name, CHANGED, id=public_id)
        changes, resets = read_change(attributes), attributes.get(RESET) is True
        subscriptions.change(self.get_object(), changes, resets_failures=resets)
        return self.respond(self.get_object())

    def destroy(self, request: Request, public_id: str) -> HttpResponse:
        activation.soft_delete(self.get_object())
        return Response(status=204)


@extend_schema_view(**operations(CALLBACKS, "event_callback"))
class CallbackViewSet(DocumentViewSet[Delivery]):
    """The callbacks of the organization; at an address below a webhook or an event, its own."""

    kind = CALLBACKS
    lookup_value_regex = r"dlv_\w+"

    def get_queryset(self) -> QuerySet[Delivery]:
        organization_id = self.organization.pk
        found = _callbacks(key_of(self.request))
        if self.of == "webhooks":
            webhooks = _webhooks(organization_id)
            webhook = get_object_or_404(webhooks, public_id=self.kwargs["public_id"])
            return found.filter(subscription=webhook)
        if self.of == "events":
            readable = events(organization_id).readable_by(key_of(self.request))
            event = get_object_or_404(readable, public_id=self.kwargs["public_id"])
            return found.filter(event=event)
        return found

    def show(self, rows: Sequence[Delivery]) -> list[Shown]:
        return _render(rows)
