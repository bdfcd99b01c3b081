"""Addresses of the dialect, below `/packagex/v1/`; each with and without a slash at its end."""

from collections.abc import Iterator

from django.urls import URLPattern, re_path

from dialects.packagex.batches.views import PackageXBatchViewSet
from dialects.packagex.exports.error_files import VIEW_NAME, ExportErrorFileView
from dialects.packagex.exports.views import PackageXExportViewSet
from dialects.packagex.records.lists import LISTS
from dialects.packagex.records.views import record_viewset
from dialects.packagex.webhooks.views import PackageXWebhookViewSet
from longshore.resources.registry import registry


def _record_urls() -> Iterator[URLPattern]:
    """Yield the addresses of the documented resources, as far as the project has them."""
    for each in LISTS:
        if resource := registry.get(each.resource):
            views = record_viewset(each, resource)
            for path in each.paths:
                yield re_path(f"^{path}/?$", views.as_view({"get": "list"}))
                one = views.as_view({"get": "retrieve"})
                yield re_path(f"^{path}/(?P<id>[^/]+)/?$", one)


urlpatterns = [
    re_path(r"^exports/?$", PackageXExportViewSet.as_view({"get": "list", "post": "create"})),
    re_path(
        r"^exports/(?P<public_id>exp_\w+)/?$", PackageXExportViewSet.as_view({"get": "retrieve"})
    ),
    # Without an optional slash: it would become a part of the name.
    re_path(r"^exports/errors/(?P<name>[^/]+)$", ExportErrorFileView.as_view(), name=VIEW_NAME),
    re_path(r"^batches/?$", PackageXBatchViewSet.as_view({"get": "list", "post": "create"})),
    re_path(
        r"^batches/(?P<public_id>batch_\w+)/?$", PackageXBatchViewSet.as_view({"get": "retrieve"})
    ),
    re_path(r"^webhooks/?$", PackageXWebhookViewSet.as_view({"get": "list", "post": "create"})),
    re_path(
        r"^webhooks/(?P<public_id>whsub_\w+)/?$",
        PackageXWebhookViewSet.as_view(
            {"get": "retrieve", "post": "partial_update", "delete": "destroy"}
        ),
    ),
    *_record_urls(),
]
