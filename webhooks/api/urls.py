"""Addresses of webhooks, deliveries and events, below `/v1/`."""

from longshore.api.routers import OptionalSlashRouter
from webhooks.api.views import (
    DeliveryViewSet,
    EventViewSet,
    SubscriptionDeliveryViewSet,
    SubscriptionViewSet,
)

router = OptionalSlashRouter()
router.register("webhooks", SubscriptionViewSet, "webhook")
router.register(
    rf"webhooks/(?P<public_id>{SubscriptionViewSet.lookup_value_regex})/deliveries",
    SubscriptionDeliveryViewSet,
    "webhook-delivery",
)
router.register("deliveries", DeliveryViewSet, "delivery")
router.register("events", EventViewSet, "event")

urlpatterns = router.urls
