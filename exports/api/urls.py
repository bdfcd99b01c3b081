"""Every address with or without a slash at its end."""

from django.urls import re_path

from exports.api.resources import ExportTypeList, ResourceDetail, ResourceList
from exports.api.views import (
    ExportCancel,
    ExportDetail,
    ExportDownload,
    ExportEvents,
    ExportList,
    ExportManifest,
    ExportPreview,
    ExportRetry,
    SignedFile,
)

_EXPORT = r"^exports/(?P<public_id>exp_\w+)"

urlpatterns = [
    re_path(r"^exports/?$", ExportList.as_view(), name="exports"),
    re_path(r"^exports/preview/?$", ExportPreview.as_view(), name="export-preview"),
    re_path(r"^exports/types/?$", ExportTypeList.as_view(), name="export-types"),
    re_path(
        r"^exports/files/(?P<name>[^/]+)$",
        SignedFile.as_view(),
        name="export-file",
    ),
    re_path(rf"{_EXPORT}/?$", ExportDetail.as_view(), name="export"),
    re_path(rf"{_EXPORT}/cancel/?$", ExportCancel.as_view(), name="export-cancel"),
    re_path(rf"{_EXPORT}/retry/?$", ExportRetry.as_view(), name="export-retry"),
    re_path(rf"{_EXPORT}/events/?$", ExportEvents.as_view(), name="export-events"),
    re_path(rf"{_EXPORT}/download/?$", ExportDownload.as_view(), name="export-download"),
    re_path(rf"{_EXPORT}/manifest/?$", ExportManifest.as_view(), name="export-manifest"),
    re_path(r"^resources/?$", ResourceList.as_view(), name="resources"),
    re_path(r"^resources/(?P<name>[a-z0-9_]+)/?$", ResourceDetail.as_view(), name="resource"),
]
