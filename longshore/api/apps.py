from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "longshore.api"
    label = "longshore_api"
    verbose_name = "API"

    def ready(self) -> None:
        from longshore.api import openapi  # noqa: F401  (registers how schemas are described)
