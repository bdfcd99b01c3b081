"""The resources app: discovers the declarations of the installed apps."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class ResourcesConfig(AppConfig):
    name = "longshore.resources"
    default_auto_field = "django.db.models.BigAutoField"
    label = "longshore_resources"

    def ready(self) -> None:
        # The imports register the system checks.
        from longshore.resources import checks, export_type_checks  # noqa: F401

        autodiscover_modules("resources", "export_types", "request_examples")
