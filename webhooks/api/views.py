"""`/v1/webhooks`, `/v1/deliveries` and `/v1/events`."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from longshore.accounts.authentication import key_of
from longshore.api.idempotency import idempotent
from longshore.api.pagination import KeysetPagination, NewestFirst, single_page
from longshore.api.views import ApiViewSet
from longshore.resources.api.list_filters import request_filters
from longshore.resources.readers import check_names
from webhooks import actions, subscriptions
from webhooks.api import documentation
from webhooks.api.serializers import (
    CreatedSubscriptionSerializer,
    DeliverySerializer,
    EventSerializer,
    SubscriptionSerializer,
)
from webhooks.events import EVENT_TYPES, EventType, canonical_types
from webhooks.lifecycle import activation
from webhooks.models import (
    Attempt,
    Delivery,
    DeliveryStatus,
    Event,
    Subscription,
    SubscriptionQuerySet,
)
from webhooks.parsing import parse_change, parse_new, parse_secret, parse_since


@extend_schema_view(**documentation.subscriptions)
class SubscriptionViewSet(ListModelMixin, RetrieveModelMixin, ApiViewSet[Subscription]):
    """The subscriptions of the organization."""

    lookup_value_regex = r"whsub_\w+"
    pagination_class = NewestFirst
    serializer_class = SubscriptionSerializer

    def get_queryset(self) -> SubscriptionQuerySet:
        if self.action == "list":
            # Refuse unknown parameters: this list has no filters.
            request_filters(self.request, {})
        return Subscription.objects.visible().filter(organization=self.organization)

    @idempotent
    def create(self, request: Request) -> Response:
        values = parse_new(self.json_body(request))
        check_names(values.get("resources", ()), key_of(request))
        subscription, secret = subscriptions.create(self.organization.pk, values)
        context = {**self.get_serializer_context(), "secret": secret}
        data = CreatedSubscriptionSerializer(subscription, context=context).data
        return Response(data, status.HTTP_201_CREATED, headers={"Location": data["url"]})

    def partial_update(self, request: Request, public_id: str) -> Response:
        subscription, values = self.get_object(), parse_change(self.json_body(request))
        # Also for the stored resources: a new target gets links to their files.
        names = [*subscription.resources, *values.get("resources", ())]
        check_names(names, key_of(request))
        subscriptions.change(subscription, values)
        return self.retrieve(request)

    def destroy(self, request: Request, public_id: str) -> Response:
        activation.soft_delete(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=True, methods=["post"], url_path="rotate-secret")
    @idempotent
    def rotate_secret(self, request: Request, public_id: str) -> Response:
        subscription = self.get_object()
        secret = subscriptions.rotate(subscription, parse_secret(self.json_body(request)))
        ends_at = self.get_object().previous_secret_ends_at
        return Response({"secret": secret, "previous_secret_ends_at": ends_at})

    @action(detail=True, methods=["post"])
    @idempotent
    def test(self, request: Request, public_id: str) -> Response:
        delivery = actions.test(self.get_object())
        return Response(DeliverySerializer(delivery).data, status.HTTP_201_CREATED)

    @action(detail=True, methods=["post"])
    @idempotent
    def recover(self, request: Request, public_id: str) -> Response:
        subscription = self.get_object()
        since = parse_since(self.json_body(request))
        return Response({"recovered": actions.recover(subscription, since)})


class DeliveryPagination(KeysetPagination):
    """Newest first. Pages follow the indexes of deliveries, which have no `number`."""

    ordering = "-created_at"


def _newest_attempts() -> "Prefetch[str, QuerySet[Attempt], str]":
    """Bound the size of a page: redeliveries can add any number of attempts to a delivery."""
    return Prefetch("attempts", Attempt.objects.newest())


@extend_schema_view(**documentation.subscription_deliveries)
class SubscriptionDeliveryViewSet(ListModelMixin, ApiViewSet[Delivery]):
    """The deliveries of one subscription: `public_id` in the address."""

    pagination_class = DeliveryPagination
    serializer_class = DeliverySerializer

    def get_queryset(self) -> QuerySet[Delivery]:
        accepted = {"status": DeliveryStatus.values, "type": EVENT_TYPES}
        filters = request_filters(self.request, accepted, Delivery)
        subscription = get_object_or_404(
            Subscription.objects.visible().filter(organization=self.organization),
            public_id=self.kwargs["public_id"],
        )
        # Only the id and the type of an event are shown; its data may be large.
        deliveries = subscription.deliveries.select_related("event").defer("event__data")
        if statuses := filters.values.get("status"):
            deliveries = deliveries.filter(status__in=statuses)
        if types := filters.values.get("type"):
            deliveries = deliveries.filter(event__type__in=canonical_types(types))
        return filters.filter_by_creation(deliveries).prefetch_related(_newest_attempts())


@extend_schema_view(**documentation.deliveries)
class DeliveryViewSet(ApiViewSet[Delivery]):
    """The deliveries of the organization, of subscriptions that are not deleted."""

    lookup_value_regex = r"dlv_\w+"
    serializer_class = DeliverySerializer

    def get_queryset(self) -> QuerySet[Delivery]:
        deliveries = Delivery.objects.filter(
            subscription__organization=self.organization, subscription__deleted_at=None
        )
        found = deliveries.select_related("event", "subscription")
        return found.prefetch_related(_newest_attempts())

    @action(detail=True, methods=["post"])
    @idempotent
    def redeliver(self, request: Request, public_id: str) -> Response:
        actions.redeliver(self.get_object())
        return Response(self.get_serializer(self.get_object()).data)


@extend_schema_view(**documentation.events)
class EventViewSet(ListModelMixin, ApiViewSet[Event]):
    """The events of the organization."""

    pagination_class = NewestFirst
    serializer_class = EventSerializer

    def get_queryset(self) -> QuerySet[Event]:
        filters = request_filters(self.request, {"type": EVENT_TYPES}, Event)
        events = Event.objects.readable_by(key_of(self.request))
        if types := filters.values.get("type"):
            events = events.filter(type__in=canonical_types(types))
        return filters.filter_by_creation(events)

    @action(detail=False)
    def types(self, request: Request) -> Response:
        results: list[Any] = [{"type": each.value, "description": each.label} for each in EventType]
        return Response(single_page(results))
