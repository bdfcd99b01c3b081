from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from exports_project.search import search

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("", include("exports_project.docs")),
    path("v1/", include("exports.api.urls")),
    path("v1/", include("webhooks.api.urls")),
    # Last: a resource cannot replace an address of the API.
    path("v1/", include("longshore.resources.api.urls")),
    path("admin/search/", search),
    path("admin/", admin.site.urls),
]
handler400 = "longshore.api.exception_handler.bad_request"
handler404 = "longshore.api.exception_handler.page_not_found"
handler500 = "longshore.api.exception_handler.server_error"
