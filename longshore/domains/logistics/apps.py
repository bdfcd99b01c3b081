from django.apps import AppConfig


class LogisticsConfig(AppConfig):
    name = "longshore.domains.logistics"
    label = "longshore_logistics"
    verbose_name = "Logistics"
