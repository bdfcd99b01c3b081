from django.apps import AppConfig


class BatchesConfig(AppConfig):
    name = "batches"
    api_urls = "batches.api.urls"

    def ready(self) -> None:
        from batches.lifecycle.transitions import BATCHES
        from longshore.jobs import kinds

        kinds.register(BATCHES)
