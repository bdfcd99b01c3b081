from django.apps import AppConfig


class CommerceConfig(AppConfig):
    name = "longshore.domains.commerce"
    label = "longshore_commerce"
    verbose_name = "Commerce"
