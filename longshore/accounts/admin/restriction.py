"""Limits the choices of forms and filters to the organizations that a person may see."""

from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from longshore.accounts import staff


def visible_choices(site: AdminSite, choices: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
    """Return the records of a related model that the person of a request may choose.

    A bound person may choose no record that belongs to no organization, such as a user.
    """
    if not staff.is_bound(request.user):
        return choices
    path = _organization_path(site, choices.model)
    return choices.none() if path is None else staff.restrict(choices, request.user, path)


def _organization_path(site: AdminSite, model: type[Model]) -> str | None:
    """Return the path that the admin of a model declares; without one, its field `organization`."""
    if site.is_registered(model):
        path: str | None = getattr(site.get_model_admin(model), "organization_path", None)
        return path
    try:
        return model._meta.get_field("organization").name
    except FieldDoesNotExist:
        return None


class VisibleChoices:
    """Mixin of a ModelAdmin or an inline: its relations offer only what the person may see."""

    admin_site: AdminSite

    def get_field_queryset(
        self, db: str | None, db_field: Any, request: HttpRequest
    ) -> QuerySet[Any] | None:
        choices: QuerySet[Any] | None = super().get_field_queryset(db, db_field, request)  # type: ignore[misc]
        if not staff.is_bound(request.user):
            return choices
        if choices is None:
            choices = db_field.remote_field.model._default_manager.using(db)
        return visible_choices(self.admin_site, choices, request)
