"""The admin's sidebar: home, links to the models that the user may view, documentation."""

from collections.abc import Iterator
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse

from exports_project import guide
from longshore.accounts.middleware import is_open

# Titles and the labels of their apps.
JOBS: dict[str, tuple[str, ...]] = {
    "Exports": ("exports",),
    "Batches": ("batches",),
    "Webhooks": ("webhooks",),
}
ADMINISTRATION: dict[str, tuple[str, ...]] = {
    "Access": ("longshore_accounts", "auth"),
    "Schedules": ("django_celery_beat",),
}
# Pages that belong to no model: group, title, icon, URL name, and sets of permissions. A user needs
# all permissions of one set.
PAGES = (
    (
        "Exports",
        "Build an export",
        "construction",
        "admin:exports_export_build",
        (("exports.add_export",), ("exports.preview_export",)),
    ),
    (
        "Batches",
        "Upload a batch",
        "upload_file",
        "admin:batches_batch_wizard",
        (("batches.add_batch", "batches.view_batch"),),
    ),
)
# Names of Material Symbols, in the order of the sidebar. An AppConfig may declare the `icons` of
# its models by their names.
ICONS = {
    "Export": "download",
    "ExportLimits": "speed",
    "Batch": "upload",
    "BatchLimits": "speed",
    "Subscription": "webhook",
    "Delivery": "send",
    "Event": "bolt",
    "Organization": "domain",
    "ApiKey": "key",
    "User": "account_circle",
    "Group": "groups",
    "AuditEntry": "history",
    "PeriodicTask": "schedule",
    "IntervalSchedule": "timer",
    "CrontabSchedule": "calendar_month",
    "ClockedSchedule": "alarm",
}
ICON = "table_rows"


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return groups of links, as Unfold's SIDEBAR expects them.

    The models of a domain are in one group, or in those that its AppConfig declares as `subjects`.
    An app that is in none of these groups has a group of its own.
    """
    home = {"title": "Home", "icon": "home", "link": reverse("admin:index")}
    reference = {"title": "API reference", "icon": "api", "link": reverse("docs")}
    guide_page = {"title": "Guide", "icon": "menu_book", "link": reverse("guide")}
    listed = {app["app_label"]: app for app in admin.site.get_app_list(request)}
    domains = [each for each in apps.get_app_configs() if each.name in settings.DOMAINS]
    grouped = {label for labels in (JOBS | ADMINISTRATION).values() for label in labels}
    grouped |= {domain.label for domain in domains}
    others = {app["name"]: (label,) for label, app in listed.items() if label not in grouped}
    for app in listed.values():
        pages = ((admin.site.get_model_admin(model["model"]), model) for model in app["models"])
        app["models"] = [model for page, model in pages if is_open(page, request)]
    return [
        {"title": "", "items": [home]},
        *_groups(request, listed, JOBS),
        *(
            group
            for domain in domains
            for group in _subjects(domain, _models(listed, domain.label))
        ),
        *_groups(request, listed, ADMINISTRATION | others),
        {"title": "Help", "items": [*([guide_page] if guide.is_built() else []), reference]},
    ]


def _groups(
    request: HttpRequest, listed: dict[str, Any], groups: dict[str, tuple[str, ...]]
) -> Iterator[dict[str, Any]]:
    for title, labels in groups.items():
        pages = [*_pages(request, title)]
        items = [_item(model) for label in labels for model in _models(listed, label)]
        if any(request.path.startswith(page["link"]) for page in pages):
            # The address of such a page begins with that of a list.
            items = [item | {"active": False} for item in items]
        if pages or items:
            yield _group(title, [*pages, *items], collapsible=title == "Schedules")


def _subjects(domain: AppConfig, models: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the groups of a domain."""
    every = tuple(model["object_name"] for model in models)
    subjects: dict[str, tuple[str, ...]] = getattr(domain, "subjects", {"": every})
    by_name = {model["object_name"]: model for model in models}
    for subject, names in subjects.items():
        title = f"{domain.verbose_name}: {subject}" if subject else str(domain.verbose_name)
        items = [_item(by_name[name]) for name in names if name in by_name]
        if items:
            yield _group(title, items, collapsible=True)


def _group(title: str, items: list[dict[str, Any]], *, collapsible: bool) -> dict[str, Any]:
    """Return a group. A collapsible one is collapsed unless one of its pages is open."""
    return {"title": title, "collapsible": collapsible, "items": items}


def _pages(request: HttpRequest, group: str) -> Iterator[dict[str, Any]]:
    """Yield the links of a group to pages that belong to no model."""
    for its_group, title, icon, name, permissions in PAGES:
        if its_group == group and any(map(request.user.has_perms, permissions)):
            yield {"title": title, "icon": icon, "link": reverse(name)}


def icon_of(model: type[Model]) -> str:
    """Return the name of the icon of a model."""
    icons: dict[str, str] = getattr(model._meta.app_config, "icons", {})
    name = model._meta.object_name or ""
    if model is get_user_model():
        return icons.get(name) or ICONS["User"]
    return icons.get(name) or ICONS.get(name, ICON)


def _models(listed: dict[str, dict[str, Any]], label: str) -> list[dict[str, Any]]:
    models: list[dict[str, Any]] = listed.get(label, {}).get("models", [])
    shown = [model for model in models if model["admin_url"]]
    # The order of ICONS; models that it does not name come last, in alphabetical order.
    order = {name: place for place, name in enumerate(ICONS)}
    return sorted(shown, key=lambda model: order.get(model["object_name"], len(order)))


def _item(model: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": model["name"],
        "icon": icon_of(model["model"]),
        "link": model["admin_url"],
    }
