"""`/v1/webhooks`, `/v1/deliveries` and `/v1/events`."""

from typing import Any, cast

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from longshore.accounts.authentication import key_of
from longshore.api.idempotency import idempotent
from longshore.api.pagination import KeysetPagination, NewestFirst
from longshore.resources.api.choices import chosen
from webhooks import actions, subscriptions
from webhooks.api import documentation
from webhooks.api.serializers import (
    CreatedSubscriptionSerializer,
    DeliverySerializer,
    EventSerializer,
    SubscriptionSerializer,
)
from webhooks.events import EventType
from webhooks.lifecycle import activation
from webhooks.models import (
    Delivery,
    DeliveryStatus,
    Event,
    Subscription,
    SubscriptionQuerySet,
)
from webhooks.parsing import parse_change, parse_new, parse_secret, parse_since


class SubscriptionView(GenericAPIView[Subscription]):
    """The subscriptions of the key's organization: nothing of another is found."""

    serializer_class = SubscriptionSerializer
    lookup_field = "public_id"

    def get_queryset(self) -> SubscriptionQuerySet:
        organization = key_of(self.request).organization_id
        return Subscription.objects.visible().filter(organization=organization)

    @property
    def body(self) -> dict[str, Any]:
        return cast("dict[str, Any]", self.request.data)


class SubscriptionList(ListModelMixin, SubscriptionView):
    pagination_class = NewestFirst

    @documentation.list_subscriptions
    def get(self, request: Request) -> Response:
        return self.list(request)

    @documentation.create_subscription
    @idempotent
    def post(self, request: Request) -> Response:
        organization = key_of(request).organization_id
        subscription, secret = subscriptions.create(organization, parse_new(self.body))
        context = {**self.get_serializer_context(), "secret": secret}
        shown = CreatedSubscriptionSerializer(subscription, context=context).data
        return Response(shown, status.HTTP_201_CREATED, headers={"Location": shown["url"]})

    def get_queryset(self) -> SubscriptionQuerySet:
        chosen(self.request, {})
        return super().get_queryset()


class SubscriptionDetail(SubscriptionView):
    @documentation.get_subscription
    def get(self, request: Request, public_id: str) -> Response:
        return Response(self.get_serializer(self.get_object()).data)

    @documentation.change_subscription
    def patch(self, request: Request, public_id: str) -> Response:
        subscriptions.change(self.get_object(), parse_change(self.body))
        return Response(self.get_serializer(self.get_object()).data)

    @documentation.delete_subscription
    def delete(self, request: Request, public_id: str) -> Response:
        activation.soft_delete(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)


class SecretRotation(SubscriptionView):
    @documentation.rotate_secret
    @idempotent
    def post(self, request: Request, public_id: str) -> Response:
        subscription = self.get_object()
        secret = subscriptions.rotate(subscription, parse_secret(self.body))
        ends_at = self.get_object().previous_secret_ends_at
        return Response({"secret": secret, "previous_secret_ends_at": ends_at})


class SubscriptionTest(SubscriptionView):
    @documentation.test_subscription
    @idempotent
    def post(self, request: Request, public_id: str) -> Response:
        delivery = actions.test(self.get_object())
        return Response(DeliverySerializer(delivery).data, status.HTTP_201_CREATED)


class Recovery(SubscriptionView):
    @documentation.recover_deliveries
    @idempotent
    def post(self, request: Request, public_id: str) -> Response:
        subscription = self.get_object()
        return Response({"recovered": actions.recover(subscription, parse_since(self.body))})


class LastMade(KeysetPagination):
    """Deliveries, newest first, in the order of an index."""

    salt = "webhooks.deliveries"
    ordering = "-created_at"


class DeliveryList(ListModelMixin, GenericAPIView[Delivery]):
    pagination_class = LastMade
    serializer_class = DeliverySerializer

    @documentation.list_deliveries
    def get(self, request: Request, public_id: str) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[Delivery]:
        accepted = {"status": DeliveryStatus.values, "type": EventType.values}
        choices = chosen(self.request, accepted, Delivery)
        organization = key_of(self.request).organization_id
        own = Subscription.objects.visible().filter(organization=organization)
        subscription = get_object_or_404(own, public_id=self.kwargs["public_id"])
        # Of an event its id and type are shown.
        deliveries = subscription.deliveries.select_related("event").defer("event__data")
        if statuses := choices.values.get("status"):
            deliveries = deliveries.filter(status__in=statuses)
        if types := choices.values.get("type"):
            deliveries = deliveries.filter(event__type__in=types)
        return choices.created(deliveries).prefetch_related("attempts")


class Redelivery(GenericAPIView[Delivery]):
    serializer_class = DeliverySerializer
    lookup_field = "public_id"

    def get_queryset(self) -> QuerySet[Delivery]:
        organization = key_of(self.request).organization_id
        found = Delivery.objects.filter(
            subscription__organization=organization, subscription__deleted_at=None
        )
        return found.select_related("event", "subscription").prefetch_related("attempts")

    @documentation.redeliver
    @idempotent
    def post(self, request: Request, public_id: str) -> Response:
        actions.redeliver(self.get_object())
        return Response(self.get_serializer(self.get_object()).data)


class EventList(ListModelMixin, GenericAPIView[Event]):
    pagination_class = NewestFirst
    serializer_class = EventSerializer

    @documentation.list_events
    def get(self, request: Request) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[Event]:
        choices = chosen(self.request, {"type": EventType.values}, Event)
        organization = key_of(self.request).organization_id
        events = choices.created(Event.objects.filter(organization=organization))
        types = choices.values.get("type")
        return events.filter(type__in=types) if types else events


class EventTypeList(APIView):
    @documentation.list_event_types
    def get(self, request: Request) -> Response:
        results = [{"type": each.value, "description": each.label} for each in EventType]
        return Response({"next": None, "previous": None, "results": results})
