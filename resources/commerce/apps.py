from django.apps import AppConfig


class CommerceConfig(AppConfig):
    name = "resources.commerce"
    label = "commerce"
    verbose_name = "Commerce"
