"""The addresses of batches, below `/v1/`."""

from django.urls import re_path

from batches.api.mappings import MappingViewSet
from batches.api.views import BatchFileView, BatchUploadView, BatchViewSet, BatchZipView
from longshore.api.routers import OptionalSlashRouter

router = OptionalSlashRouter()
router.register("batches/mappings", MappingViewSet, "batch-mapping")
router.register("batches", BatchViewSet, "batch")

urlpatterns = [
    *router.urls,
    # Without an optional slash: it would become a part of the name.
    re_path(r"^batches/files/(?P<name>[^/]+)$", BatchFileView.as_view(), name="batch-file"),
    re_path(r"^batches/zips/(?P<name>[^/]+)$", BatchZipView.as_view(), name="batch-zip-file"),
    re_path(r"^batches/uploads/(?P<name>[^/]+)$", BatchUploadView.as_view(), name="batch-upload"),
]
