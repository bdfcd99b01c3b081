"""The demo app: the commands `demo` and `demo_data`, and tools to generate demo data."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "longshore.domains.demo"
    default_auto_field = "django.db.models.BigAutoField"
    label = "longshore_demo"
