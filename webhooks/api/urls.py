"""Every address with or without a slash at its end."""

from django.urls import re_path

from webhooks.api.views import (
    DeliveryList,
    EventList,
    EventTypeList,
    Recovery,
    Redelivery,
    SecretRotation,
    SubscriptionDetail,
    SubscriptionList,
    SubscriptionTest,
)

_WEBHOOK = r"^webhooks/(?P<public_id>whsub_\w+)"

urlpatterns = [
    re_path(r"^webhooks/?$", SubscriptionList.as_view(), name="webhooks"),
    re_path(rf"{_WEBHOOK}/?$", SubscriptionDetail.as_view(), name="webhook"),
    re_path(rf"{_WEBHOOK}/rotate-secret/?$", SecretRotation.as_view(), name="webhook-secret"),
    re_path(rf"{_WEBHOOK}/test/?$", SubscriptionTest.as_view(), name="webhook-test"),
    re_path(rf"{_WEBHOOK}/recover/?$", Recovery.as_view(), name="webhook-recovery"),
    re_path(rf"{_WEBHOOK}/deliveries/?$", DeliveryList.as_view(), name="webhook-deliveries"),
    re_path(
        r"^deliveries/(?P<public_id>dlv_\w+)/redeliver/?$",
        Redelivery.as_view(),
        name="redelivery",
    ),
    re_path(r"^events/?$", EventList.as_view(), name="events"),
    re_path(r"^events/types/?$", EventTypeList.as_view(), name="event-types"),
]
