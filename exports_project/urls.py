from django.apps import apps
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from dialects.base.apps import installed_dialects
from exports_project.index import IndexView
from exports_project.search import search
from longshore.accounts.admin.preferences import password_change, preferences
from longshore.accounts.admin.second_factor import second_factor, turn_off
from longshore.accounts.admin.sign_in import enter_code, sign_in

# Addresses below `/v1/` of other apps: an AppConfig may name their module as `api_urls`.
_app_urls = [
    path("v1/", include(config.api_urls))
    for config in apps.get_app_configs()
    if hasattr(config, "api_urls")
]
# Addresses of the dialects. Of two that begin alike, the longer one first: /api/admin/, /api/.
_dialect_urls = [
    path(prefix, include(urls))
    for prefix, urls in sorted(
        (each for config in installed_dialects() for each in config.dialect_urls.items()),
        key=lambda each: -len(each[0]),
    )
]
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("", include("exports_project.docs")),
    path("", include("exports_project.guide")),
    re_path(r"^v1/?$", IndexView.as_view(), name="index"),
    path("v1/", include("exports.api.urls")),
    path("v1/", include("webhooks.api.urls")),
    # After those of the API, which an app cannot replace.
    *_app_urls,
    # Last: a resource cannot replace an address of the API or of an app.
    path("v1/", include("longshore.resources.api.urls")),
    *_dialect_urls,
    path("admin/search/", search),
    path("admin/preferences/", admin.site.admin_view(preferences), name="staff_preferences"),
    path("admin/second-factor/", admin.site.admin_view(second_factor), name="staff_second_factor"),
    path(
        "admin/second-factor/off/",
        admin.site.admin_view(turn_off),
        name="staff_second_factor_off",
    ),
    path("admin/login/code/", enter_code, name="staff_sign_in_code"),
    # Before those of Django, whose names, such as `admin:login`, stand for both.
    path("admin/login/", sign_in),
    path("admin/password_change/", admin.site.admin_view(password_change, cacheable=True)),
    path("admin/", admin.site.urls),
]
handler400 = "longshore.api.exception_handler.bad_request"
handler404 = "exports_project.index.page_not_found"
handler500 = "longshore.api.exception_handler.server_error"
