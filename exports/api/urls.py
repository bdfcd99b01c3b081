"""Addresses of exports and resources, below `/v1/`."""

from django.urls import re_path

from exports.api.resources import ResourceViewSet
from exports.api.views import ExportFileView, ExportViewSet, ExportZipView
from longshore.api.routers import OptionalSlashRouter

router = OptionalSlashRouter()
router.register("exports", ExportViewSet, "export")
router.register("resources", ResourceViewSet, "resource")

urlpatterns = [
    *router.urls,
    # Without an optional slash: it would become a part of the name.
    re_path(r"^exports/files/(?P<name>[^/]+)$", ExportFileView.as_view(), name="export-file"),
    re_path(r"^exports/zips/(?P<name>[^/]+)$", ExportZipView.as_view(), name="export-zip-file"),
]
