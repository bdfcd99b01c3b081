"""The logistics domain: parcels, stock and the people who send and receive them."""

from typing import ClassVar

from django.apps import AppConfig

from longshore.database.labels import spell_out


class LogisticsConfig(AppConfig):
    name = "longshore.domains.logistics"
    default_auto_field = "django.db.models.BigAutoField"
    label = "longshore_logistics"
    verbose_name = "Logistics"
    # A `DemoSource`, loaded by `manage.py demo` and `manage.py demo_data`.
    demo = "longshore.domains.logistics.demo.load.DEMO"
    # Icons of the admin's sidebar, by model: names of Material Symbols.
    icons: ClassVar[dict[str, str]] = {
        "Contact": "person",
        "Fulfillment": "inventory",
        "Item": "category",
        "Location": "warehouse",
        "Manifest": "list_alt",
        "Shipment": "local_shipping",
        "Tracker": "location_on",
        "ShippingLabelInference": "document_scanner",
        "Asset": "forklift",
    }

    def ready(self) -> None:
        spell_out(self)
