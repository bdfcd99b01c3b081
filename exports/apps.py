from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "exports"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from exports.execution import (
            checks,  # noqa: F401  (registers the database checks)
            replica,  # noqa: F401 (registers its check)
        )
        from exports.lifecycle.transitions import EXPORTS
        from exports.lifecycle.webhook_events import with_links
        from longshore.jobs import kinds
        from webhooks import payloads

        kinds.register(EXPORTS)
        payloads.register("export", with_links)
