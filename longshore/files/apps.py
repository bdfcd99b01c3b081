from django.apps import AppConfig


class FilesConfig(AppConfig):
    name = "longshore.files"
    default_auto_field = "django.db.models.BigAutoField"
    label = "longshore_files"

    def ready(self) -> None:
        from longshore.files.storage import checks  # noqa: F401  (registers the system check)
