"""URLs of records, below `/v1/`."""

from longshore.api.routers import OptionalSlashRouter
from longshore.resources.api.views import record_viewset
from longshore.resources.registry import registry

router = OptionalSlashRouter()
for resource in registry:
    router.register(resource.plural, record_viewset(resource), f"record-{resource.name}")

urlpatterns = router.urls
