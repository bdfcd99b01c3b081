"""`/api/admin/webhooks/`: list, create, retrieve, update and delete."""

from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema_view
from rest_framework import status
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from dialects.nextcommerce.apps import NextCommerceConfig
from dialects.nextcommerce.views import NextCommerceViewSet
from dialects.nextcommerce.webhooks import documentation
from dialects.nextcommerce.webhooks.representation import WebhookSerializer
from dialects.nextcommerce.webhooks.requests import (
    WebhookFiltersSerializer,
    WebhookRequestSerializer,
)
from longshore.api.idempotency import idempotent
from webhooks import subscriptions
from webhooks.lifecycle import activation
from webhooks.models import Subscription, SubscriptionQuerySet

DIALECT = NextCommerceConfig.dialect_name


@extend_schema_view(**documentation.webhooks)
class WebhookViewSet(ListModelMixin, RetrieveModelMixin, NextCommerceViewSet[Subscription]):
    """The subscriptions of the organization that this dialect created.

    Those of other APIs are not among them: their messages have another form, and a client that
    replaces the webhooks that it does not know would delete them.
    """

    serializer_class = WebhookSerializer
    query_serializer_class = WebhookFiltersSerializer

    def get_queryset(self) -> SubscriptionQuerySet:
        own = Subscription.objects.visible().filter(organization=self.organization, dialect=DIALECT)
        if self.action != "list":
            return own
        filters = self.list_filters()
        if "events" in filters:
            filters["events__overlap"] = filters.pop("events")
        return own.filter(**filters)

    @idempotent
    def create(self, request: Request) -> Response:
        values = self._values(request)
        subscription, secret = subscriptions.create(
            self.organization.pk, {**values, "dialect": DIALECT}
        )
        self.subject = subscription.public_id
        return Response(self._shown(subscription, secret), status.HTTP_201_CREATED)

    def update(self, request: Request, id: str) -> Response:
        return self._change(request)

    def partial_update(self, request: Request, id: str) -> Response:
        return self._change(request, partial=True)

    def destroy(self, request: Request, id: str) -> Response:
        activation.soft_delete(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _change(self, request: Request, *, partial: bool = False) -> Response:
        subscription = self.get_object()
        values = self._values(request, partial=partial)
        secret = values.pop("secret", None)
        with transaction.atomic():
            subscriptions.change(subscription, values)
            if secret:
                subscriptions.rotate(subscription, secret)
        return Response(self._shown(self.get_object(), secret))

    def _values(self, request: Request, *, partial: bool = False) -> dict[str, Any]:
        serializer = WebhookRequestSerializer(data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return serializer.values()

    def _shown(self, subscription: Subscription, secret: str | None) -> dict[str, Any]:
        context = {**self.get_serializer_context(), "secret": secret}
        return dict(WebhookSerializer(subscription, context=context).data)
