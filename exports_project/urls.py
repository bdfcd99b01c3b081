from django.apps import apps
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from exports_project.search import search

# Addresses below `/v1/` of other apps: an AppConfig may name their module as `api_urls`.
_app_urls = [
    path("v1/", include(config.api_urls))
    for config in apps.get_app_configs()
    if hasattr(config, "api_urls")
]
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("", include("exports_project.docs")),
    path("v1/", include("exports.api.urls")),
    path("v1/", include("webhooks.api.urls")),
    # After those of the API, which an app cannot replace.
    *_app_urls,
    # Last: a resource cannot replace an address of the API or of an app.
    path("v1/", include("longshore.resources.api.urls")),
    path("admin/search/", search),
    path("admin/", admin.site.urls),
]
handler400 = "longshore.api.exception_handler.bad_request"
handler404 = "longshore.api.exception_handler.page_not_found"
handler500 = "longshore.api.exception_handler.server_error"
