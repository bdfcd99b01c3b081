from django.apps import AppConfig


class DatabaseConfig(AppConfig):
    name = "longshore.database"
    default_auto_field = "django.db.models.BigAutoField"
    label = "longshore_database"

    def ready(self) -> None:
        from longshore.database import checks  # noqa: F401  (registers the system checks)
