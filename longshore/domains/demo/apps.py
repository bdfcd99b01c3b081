from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "longshore.domains.demo"
    label = "longshore_demo"
