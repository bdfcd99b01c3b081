from django.apps import AppConfig
from django.db.models.signals import pre_delete


class ExportsConfig(AppConfig):
    name = "exports"

    def ready(self) -> None:
        from exports.execution import replica  # noqa: F401 (registers its check)
        from exports.lifecycle.transitions import EXPORTS, discard_files
        from exports.lifecycle.webhook_events import with_links
        from longshore.accounts.models import Organization
        from longshore.jobs import kinds
        from webhooks import payloads

        kinds.register(EXPORTS)
        payloads.register("export", with_links)
        pre_delete.connect(discard_files, sender=Organization)
