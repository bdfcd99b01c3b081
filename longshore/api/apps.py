from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class ApiConfig(AppConfig):
    name = "longshore.api"
    default_auto_field = "django.db.models.BigAutoField"
    label = "longshore_api"
    verbose_name = "API"
    api_urls = "longshore.api.urls"

    def ready(self) -> None:
        from longshore.api import openapi  # noqa: F401  (registers the extensions of drf-spectacular)

        autodiscover_modules("errors")
