"""The commerce domain: what a shop sells, to whom, and how it is paid and delivered."""

from django.apps import AppConfig


class CommerceConfig(AppConfig):
    name = "longshore.domains.commerce"
    label = "longshore_commerce"
    verbose_name = "Commerce"
    # A `DemoSource`, loaded by `manage.py demo` and `manage.py demo_data`.
    demo = "longshore.domains.commerce.demo.load.DEMO"
