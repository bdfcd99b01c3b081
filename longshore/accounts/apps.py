from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "longshore.accounts"
    default_auto_field = "django.db.models.BigAutoField"
    label = "longshore_accounts"
    verbose_name = "Access"

    def ready(self) -> None:
        from longshore.accounts import sign_in_log
        from longshore.accounts.roles import grant

        # After the receiver of django.contrib.auth, which creates the permissions.
        post_migrate.connect(grant, dispatch_uid="longshore.accounts.roles")
        if apps.is_installed("django.contrib.admin"):
            sign_in_log.connect()
            from longshore.accounts.admin.languages import name_languages
            from longshore.accounts.admin.users import register_own_model

            name_languages()
            # The app of the admin, which comes before this one, has loaded all admin modules.
            register_own_model()
