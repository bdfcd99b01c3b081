"""`/packagex/v1/webhooks`: the subscriptions whose messages are in the words of PackageX.

PackageX subscribes on its dashboard and documents no endpoint. The addresses follow its rules: POST
to a list creates, POST to an object changes it. The fields are those of `/v1/webhooks`.
"""

from typing import Any

from drf_spectacular.utils import extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from dialects.packagex.apps import PackageXConfig
from dialects.packagex.documentation import ObjectSchema
from dialects.packagex.envelope import envelope, pagination
from dialects.packagex.parameters import read_list
from dialects.packagex.webhooks import documentation
from dialects.packagex.webhooks.documentation import LIST_PARAMETERS, PAGE_PARAMETERS
from longshore.api.idempotency import idempotent
from longshore.api.links import absolute
from longshore.api.views import ApiViewSet
from webhooks import subscriptions
from webhooks.api.serializers import CreatedSubscriptionSerializer, SubscriptionSerializer
from webhooks.lifecycle import activation
from webhooks.models import Subscription, SubscriptionQuerySet
from webhooks.parsing import parse_change, parse_new

DIALECT = PackageXConfig.dialect_name


@extend_schema_view(**documentation.webhooks)
class PackageXWebhookViewSet(ApiViewSet[Subscription]):
    """The subscriptions of the organization in this dialect."""

    serializer_class = SubscriptionSerializer
    schema = ObjectSchema()

    def get_queryset(self) -> SubscriptionQuerySet:
        own = Subscription.objects.visible().filter(organization=self.organization)
        return own.filter(dialect=DIALECT)

    @idempotent
    def create(self, request: Request) -> Response:
        values = parse_new(self.json_body(request))
        subscription, secret = subscriptions.create(
            self.organization.pk, {**values, "dialect": DIALECT}
        )
        context = {**self.get_serializer_context(), "secret": secret}
        shown = self._shown(CreatedSubscriptionSerializer(subscription, context=context).data)
        code = status.HTTP_201_CREATED
        return Response(
            envelope(request, shown, status=code), code, headers={"Location": shown["url"]}
        )

    def list(self, request: Request) -> Response:
        wanted, _ = read_list(request.query_params, PAGE_PARAMETERS, LIST_PARAMETERS)
        page = wanted.of(self.get_queryset().order_by("created_at", "number"))
        shown = [self._shown(each) for each in self.get_serializer(page.rows, many=True).data]
        pages_of_all = pagination(wanted, len(shown), page.total)
        return Response(envelope(request, shown, pagination=pages_of_all))

    def retrieve(self, request: Request, public_id: str) -> Response:
        return Response(envelope(request, self._shown(self.get_serializer(self.get_object()).data)))

    def partial_update(self, request: Request, public_id: str) -> Response:
        subscriptions.change(self.get_object(), parse_change(self.json_body(request)))
        return self.retrieve(request, public_id)

    def destroy(self, request: Request, public_id: str) -> Response:
        activation.soft_delete(self.get_object())
        return Response(envelope(request, {"id": public_id}))

    def _shown(self, native: dict[str, Any]) -> dict[str, Any]:
        """Return a subscription with its address in this dialect."""
        path = f"/packagex/v1/webhooks/{native['id']}"
        return {**native, "url": absolute(path, self.request)}
