from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "longshore.accounts"
    label = "longshore_accounts"
    verbose_name = "Access"
