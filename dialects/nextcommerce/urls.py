"""Addresses of the dialect, below `/api/admin/`."""

from dialects.nextcommerce.exports.views import ExportViewSet
from dialects.nextcommerce.webhooks.views import WebhookViewSet
from longshore.api.routers import OptionalSlashRouter

router = OptionalSlashRouter()
router.register("exports", ExportViewSet, "nextcommerce-export")
router.register("webhooks", WebhookViewSet, "nextcommerce-webhook")

urlpatterns = router.urls
