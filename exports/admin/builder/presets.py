"""Saves and deletes presets, and says who may change them."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from exports.models import ExportPreset
from longshore.accounts import audit
from longshore.accounts.models import AuditAction, Organization


def save(
    request: HttpRequest,
    owner: AbstractBaseUser,
    organization: Organization,
    body: Mapping[str, Any],
    preset: ExportPreset | None,
) -> ExportPreset:
    """Store a request under the posted name, as a new preset or (`do=replace`) in a preset.

    Raises ValueError for a name that is empty, too long or used, and for too many presets.
    Raises PermissionDenied for a preset that the person may not change.
    """
    name = request.POST.get("preset_name", "").strip()
    if not 0 < len(name) <= ExportPreset.MAX_NAME_CHARACTERS:
        maximum = ExportPreset.MAX_NAME_CHARACTERS
        raise ValueError(f"The name of a preset has 1 to {maximum} characters.")
    is_new = preset is None or request.POST.get("do") != "replace"
    if preset is None or is_new:
        preset = ExportPreset(owner_id=owner.pk)
    _check(request, preset)
    _check_count(preset, organization)
    preset.name, preset.organization, preset.request = name, organization, dict(body)
    # Nobody could use a private preset without an owner.
    preset.is_shared = "preset_shared" in request.POST or preset.owner_id is None
    try:
        with transaction.atomic():
            preset.save()
            action = AuditAction.ADD if is_new else AuditAction.CHANGE
            audit.record(request, action, organization.pk, preset)
    except IntegrityError:
        raise ValueError(f"You already have a preset with the name '{name}'.") from None
    messages.success(request, f"The preset '{name}' was saved.")
    return preset


def delete(request: HttpRequest, preset: ExportPreset) -> None:
    """Delete a preset. Raises PermissionDenied for one that the person may not change."""
    _check(request, preset)
    with transaction.atomic():
        # Before the deletion, which removes the key of the instance.
        audit.record(request, AuditAction.DELETE, preset.organization_id, preset)
        preset.delete()
    messages.success(request, f"The preset '{preset.name}' was deleted.")


def may_change(request: HttpRequest, preset: ExportPreset) -> bool:
    """Return whether the person may replace and delete a preset that the person may use."""
    if preset.owner_id is None:
        return request.user.has_perm("exports.change_export")
    return preset.owner_id == request.user.pk


def _check(request: HttpRequest, preset: ExportPreset) -> None:
    if not may_change(request, preset):
        raise PermissionDenied


def _check_count(preset: ExportPreset, organization: Organization) -> None:
    """Raise ValueError if the owner has as many other presets of an organization as allowed."""
    if preset.owner_id is None:
        return
    own = ExportPreset.objects.filter(owner_id=preset.owner_id, organization=organization)
    maximum = ExportPreset.MAX_PER_OWNER
    if own.exclude(pk=preset.pk).count() >= maximum:
        raise ValueError(f"You already have {maximum} presets of {organization}. Delete one first.")
