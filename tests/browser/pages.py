"""All pages of the admin, found through its URL patterns, so that new pages need no list."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib import admin
from django.db.models import Model
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from batches.models import Batch
from exports.models import Export

# History and deletion look the same for all models: those of one model of each app suffice.
_ONCE_PER_APP = ("history", "delete")
# Models of an app whose pages are visited. Those of its other models come from the same classes;
# tests/domains/test_record_pages.py opens them without a browser.
_EXAMPLES = {"longshore_commerce": ("customer", "giftcard", "order", "price", "transaction")}
# The builder with a request. It loads its preview afterwards.
BUILDER = "builder"
# Forms of a record, which only some models have.
_FORMS = ("edit", "rotate_secret")
# Fragments, redirects and data; a part of the builder that needs the path of a relation. A
# signed-in person is redirected from those of sign-in.
_NO_PAGES = {
    "jsi18n",
    "login",
    "staff_sign_in_code",
    "logout",
    "autocomplete",
    "search",
    "view_on_site",
    "exports_export_build_related",
}


@dataclass(frozen=True)
class AdminPage:
    """name: unique, for file names and messages; address: with the first record of the model."""

    name: str
    address: str


def admin_pages() -> list[AdminPage]:
    """Return the home page, every page without parameters, and the pages of one record per model.

    Of apps with many pages of the same kind, only those of _EXAMPLES.

    """
    every = (*_plain_pages(), *_record_pages(), *_wizard_pages(), *_builder_pages())
    pages = {page.name: page for page in every}
    return [page for page in pages.values() if _is_visited(page.name)]


def _is_visited(name: str) -> bool:
    """Return whether a page belongs to an example, or to an app without examples."""
    for app, models in _EXAMPLES.items():
        if name.startswith(f"{app}_"):
            return name.removeprefix(f"{app}_").partition("_")[0] in models
    return True


def _plain_pages() -> Iterator[AdminPage]:
    for name in _names(get_resolver().url_patterns):
        if name.rpartition(":")[2] not in _NO_PAGES:
            try:
                yield AdminPage(name.rpartition(":")[2], reverse(name))
            except NoReverseMatch:
                continue  # It needs a record.


def _names(patterns: list[URLPattern | URLResolver], inside: bool = False) -> Iterator[str]:
    """Yield the names of the admin's patterns, and of others whose path begins with `admin/`."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _names(pattern.url_patterns, inside or pattern.namespace == "admin")
        elif pattern.name and inside:
            yield f"admin:{pattern.name}"
        elif pattern.name and str(pattern.pattern).startswith("admin/"):
            yield pattern.name


def _record_pages() -> Iterator[AdminPage]:
    visited = set()
    for model in admin.site._registry:
        label = model._meta.app_label
        if (record := _first(model)) is None:
            continue
        for page in ("change", *(() if label in visited else _ONCE_PER_APP)):
            name = f"{label}_{model._meta.model_name}_{page}"
            yield AdminPage(name, reverse(f"admin:{name}", args=[record.pk]))
        for page in _FORMS:
            name = f"{label}_{model._meta.model_name}_{page}"
            try:
                yield AdminPage(name, reverse(f"admin:{name}", args=[record.pk]))
            except NoReverseMatch:
                continue  # The model has no such form.
        visited.add(label)


def _wizard_pages() -> Iterator[AdminPage]:
    """Yield the steps of the batch wizard for the first dry run."""
    dry_run = Batch.objects.visible().filter(dry_run=True, has_files=True).order_by("pk").first()
    if dry_run is None:
        return
    for step in ("mapping", "checks", "changes"):
        name = f"batches_batch_wizard_{step}"
        yield AdminPage(name, reverse(f"admin:{name}", args=[dry_run.pk]))


def _builder_pages() -> Iterator[AdminPage]:
    """Yield the builder with the request of the newest export that has columns and filters."""
    exports = Export.objects.visible().filter(request__isnull=False).order_by("-number")
    full = (each for each in exports if {"filters", "options"} & {*each.request})
    if export := next(full, None):
        address = f"{reverse('admin:exports_export_build')}?from={export.public_id}"
        yield AdminPage(BUILDER, address)


def _first(model: type[Model]) -> Model | None:
    records = model._default_manager.all()
    names = {field.name for field in model._meta.fields}
    visible = records.filter(deleted_at=None) if "deleted_at" in names else records
    return visible.order_by("pk").first()
