"""The demo app: the commands `demo` and `demo_data`, and tools to generate demo data."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "longshore.domains.demo"
    label = "longshore_demo"
