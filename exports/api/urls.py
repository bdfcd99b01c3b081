"""Every address with or without a slash at its end."""

from django.urls import re_path

from exports.api.resources import ResourceDetail, ResourceList
from exports.api.views import ExportDetail, ExportDownload, ExportList, ExportPreview, SignedFile

urlpatterns = [
    re_path(r"^exports/?$", ExportList.as_view(), name="exports"),
    re_path(r"^exports/preview/?$", ExportPreview.as_view(), name="export-preview"),
    re_path(
        r"^exports/files/(?P<name>[^/]+)$",
        SignedFile.as_view(),
        name="export-file",
    ),
    re_path(r"^exports/(?P<public_id>exp_\w+)/?$", ExportDetail.as_view(), name="export"),
    re_path(
        r"^exports/(?P<public_id>exp_\w+)/download/?$",
        ExportDownload.as_view(),
        name="export-download",
    ),
    re_path(r"^resources/?$", ResourceList.as_view(), name="resources"),
    re_path(r"^resources/(?P<name>[a-z0-9_]+)/?$", ResourceDetail.as_view(), name="resource"),
]
