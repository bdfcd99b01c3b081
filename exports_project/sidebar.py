"""The admin's sidebar: links to the registered models that the user may view."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest

# Titles and the labels of their apps. None: the installed domains.
GROUPS: dict[str, tuple[str, ...] | None] = {
    "Exports": ("exports",),
    "Webhooks": ("webhooks",),
    "Resources": None,
    "Access": ("longshore_accounts", "auth"),
    "Schedules": ("django_celery_beat",),
}
# Groups that are collapsed unless one of their pages is open.
COLLAPSED = {"Schedules"}
# Names of Material Symbols. An AppConfig may declare the `icons` of its models by their names.
ICONS = {
    "Export": "download",
    "ExportLimits": "speed",
    "Subscription": "webhook",
    "Event": "bolt",
    "Delivery": "send",
    "Group": "groups",
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
    """Return groups of links, as Unfold's SIDEBAR expects them.

    An app that is in none of GROUPS has a group of its own.
    """
    listed = {app["app_label"]: app for app in admin.site.get_app_list(request)}
    groups = {title: _domains() if labels is None else labels for title, labels in GROUPS.items()}
    grouped = {label for labels in groups.values() for label in labels}
    others = {app["name"]: (label,) for label, app in listed.items() if label not in grouped}
    return [
        {"title": title, "collapsible": title in COLLAPSED, "items": items}
        for title, labels in (groups | others).items()
        if (items := [_item(model) for label in labels for model in _models(listed, label)])
    ]


def _domains() -> tuple[str, ...]:
    return tuple(each.label for each in apps.get_app_configs() if each.name in settings.DOMAINS)


def _models(listed: dict[str, dict[str, Any]], label: str) -> list[dict[str, Any]]:
    models: list[dict[str, Any]] = listed.get(label, {}).get("models", [])
    return [model for model in models if model["admin_url"]]


def _item(model: dict[str, Any]) -> dict[str, Any]:
    options, name = model["model"]._meta, model["object_name"]
    icons = getattr(options.app_config, "icons", {})
    return {
        "title": TITLES.get(options.label, model["name"]),
        "icon": icons.get(name) or ICONS.get(name, ICON),
        "link": model["admin_url"],
    }
