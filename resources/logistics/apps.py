from django.apps import AppConfig


class LogisticsConfig(AppConfig):
    name = "resources.logistics"
    label = "logistics"
    verbose_name = "Logistics"
