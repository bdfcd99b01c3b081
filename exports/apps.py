from django.apps import AppConfig
from django.db.models.signals import pre_delete


class ExportsConfig(AppConfig):
    name = "exports"

    def ready(self) -> None:
        from accounts.models import Organization
        from exports import (
            replica,  # noqa: F401 (registers its check)
            upkeep,
        )
        from exports.announcements import with_links
        from webhooks import payloads

        payloads.register("export", with_links)
        pre_delete.connect(upkeep.remember_files, sender=Organization)
