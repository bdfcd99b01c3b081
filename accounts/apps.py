from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Access"

    def ready(self) -> None:
        from accounts import checks, openapi  # noqa: F401  (both register what they hold)
