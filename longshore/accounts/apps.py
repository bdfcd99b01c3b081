from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "longshore.accounts"
    label = "longshore_accounts"
    verbose_name = "Access"

    def ready(self) -> None:
        from longshore.accounts.roles import grant

        # After the receiver of django.contrib.auth, which creates the permissions.
        post_migrate.connect(grant, dispatch_uid="longshore.accounts.roles")
