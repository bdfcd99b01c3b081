from django.apps import AppConfig


class BatchesConfig(AppConfig):
    name = "batches"
    default_auto_field = "django.db.models.BigAutoField"
    api_urls = "batches.api.urls"

    def ready(self) -> None:
        from batches.lifecycle.transitions import BATCHES
        from longshore.jobs import kinds

        kinds.register(BATCHES)
