"""URLs of records, below `/v1/`."""

from longshore.api.routers import OptionalSlashRouter
from longshore.resources.api.views import RecordViewSet
from longshore.resources.registry import registry

router = OptionalSlashRouter()
for resource in registry:
    router.register(resource.plural, RecordViewSet.of(resource), f"record-{resource.name}")

urlpatterns = router.urls
