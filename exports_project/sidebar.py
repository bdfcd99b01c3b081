"""The admin's sidebar: the registered models that the user may see."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

GROUPS = {
    "Exports": ("exports",),
    "Webhooks": ("webhooks",),
    "Resources": ("longshore_logistics",),
    "Access": ("longshore_accounts", "auth"),
    "Schedules": ("django_celery_beat",),
}
# Groups that are collapsed unless one of their pages is open.
COLLAPSED = {"Schedules"}
# Names of Material Symbols.
ICONS = {
    "Export": "download",
    "ExportLimits": "speed",
    "Subscription": "webhook",
    "Event": "bolt",
    "Delivery": "send",
    "Contact": "person",
    "Group": "groups",
    "Fulfillment": "inventory",
    "Item": "category",
    "Location": "warehouse",
    "Manifest": "list_alt",
    "Shipment": "local_shipping",
    "Tracker": "location_on",
    "ShippingLabelInference": "document_scanner",
    "Asset": "forklift",
    "Organization": "domain",
    "ApiKey": "key",
    "AuditEntry": "history",
    "User": "account_circle",
    "PeriodicTask": "schedule",
    "IntervalSchedule": "timer",
    "CrontabSchedule": "calendar_month",
    "ClockedSchedule": "alarm",
}
ICON = "table_rows"
# Titles of models with ambiguous names.
TITLES = {"auth.Group": "Permission groups"}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return groups of links in the form of Unfold's SIDEBAR.

    An app that GROUPS does not list gets its own group.
    """
    apps = {app["app_label"]: app for app in admin.site.get_app_list(request)}
    named = {label for labels in GROUPS.values() for label in labels}
    others = {app["name"]: (label,) for label, app in apps.items() if label not in named}
    return [
        {"title": title, "collapsible": title in COLLAPSED, "items": items}
        for title, labels in (GROUPS | others).items()
        if (items := [_item(model) for label in labels for model in _models(apps, label)])
    ]


def _models(apps: dict[str, dict[str, Any]], label: str) -> list[dict[str, Any]]:
    models: list[dict[str, Any]] = apps.get(label, {}).get("models", [])
    return [model for model in models if model["admin_url"]]


def _item(model: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": TITLES.get(model["model"]._meta.label, model["name"]),
        "icon": ICONS.get(model["object_name"], ICON),
        "link": model["admin_url"],
    }
