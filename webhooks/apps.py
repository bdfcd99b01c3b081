from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "webhooks"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from longshore.api import limits
        from webhooks.subscriptions import used_limits

        limits.register(used_limits)
