from django.apps import AppConfig
from django.db.models.signals import pre_delete


class ExportsConfig(AppConfig):
    name = "exports"

    def ready(self) -> None:
        from exports.execution import replica  # noqa: F401 (registers its check)
        from exports.lifecycle import maintenance
        from exports.lifecycle.webhook_events import with_links
        from longshore.accounts.models import Organization
        from webhooks import payloads

        payloads.register("export", with_links)
        pre_delete.connect(maintenance.remember_files, sender=Organization)
