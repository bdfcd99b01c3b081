from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "exports"

    def ready(self) -> None:
        from exports import replica  # noqa: F401 (registers its check)
        from exports.announcements import with_links
        from webhooks import payloads

        payloads.register("export", with_links)
