"""Mappings that an organization has saved under names, one for each resource and name."""

import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from batches.errors import BatchErrorCode
from batches.models import SavedMapping
from batches.request.body import MAPPING_BODY
from batches.request.target_names import check_mapping
from batches.targets import Targets
from longshore.accounts.models import Organization
from longshore.api.errors import ApiError, ErrorCode, Problems
from longshore.jobs import admission
from longshore.resources.registry import Resource, registry

MAX_SAVED_MAPPINGS = 100
# Maximum of one mapping as JSON. A list returns all mappings of an organization.
MAX_MAPPING_CHARACTERS = 50_000


def saved_mappings(organization: Organization) -> QuerySet[SavedMapping]:
    """Return the mappings of an organization by resource and name."""
    mappings = SavedMapping.objects.filter(organization=organization)
    return mappings.order_by("resource", "name")


def saved_names(organization: Organization, resource: str) -> list[str]:
    """Return the names of the mappings of a resource."""
    names = saved_mappings(organization).filter(resource=resource).values_list("name", flat=True)
    return list(names)


def find_mapping(
    organization: Organization, resource: str, name: str
) -> Mapping[str, str | None] | None:
    """Return the mapping of a name; None if the organization has none for the resource."""
    found = saved_mappings(organization).filter(resource=resource, name=name).first()
    return None if found is None else found.mapping


def parse_mapping(body: Mapping[str, Any]) -> tuple[Resource, str, Mapping[str, str | None]]:
    """Parse the body of a request to save a mapping.

    Returns its resource, its name and the target of each header.
    Raises InvalidInput with every problem of the body.
    """
    problems = Problems()
    values = MAPPING_BODY.read(body, problems)
    resource = registry.get(values.get("resource", ""))
    name, mapping = values.get("name"), values.get("mapping")
    if name is not None and not name.strip():
        problems.report(ErrorCode.INVALID_REQUEST, "name", name, "name is empty.", "a text")
    if body.get("mapping") == {}:
        text = "mapping has no header."
        problems.report(BatchErrorCode.INVALID_MAPPING, "mapping", mapping, text, "a header")
    if mapping and (size := len(json.dumps(mapping, ensure_ascii=False))) > MAX_MAPPING_CHARACTERS:
        text = f"mapping has {size:,} characters as JSON, more than {MAX_MAPPING_CHARACTERS:,}."
        accepted = f"at most {MAX_MAPPING_CHARACTERS:,} characters as JSON"
        problems.report(BatchErrorCode.INVALID_MAPPING, "mapping", mapping, text, accepted)
    if resource and mapping:
        problems.extend(check_mapping(mapping, Targets(resource), "mapping"))
    if problems or resource is None or name is None or mapping is None:
        problems.refuse()
    return resource, name, mapping


def save(
    organization: Organization, resource: Resource, name: str, mapping: Mapping[str, str | None]
) -> tuple[SavedMapping, bool]:
    """Save a mapping, replacing one of the same resource and name.

    Returns the mapping, and whether it is a new one. Raises ApiError if the organization has
    `MAX_SAVED_MAPPINGS` others.
    """
    with transaction.atomic():
        # Two requests at once must not exceed the limit together.
        admission.lock(organization.pk)
        named = saved_mappings(organization).filter(resource=resource.name, name=name)
        if not named.exists() and saved_mappings(organization).count() >= MAX_SAVED_MAPPINGS:
            raise too_many()
        return SavedMapping.objects.update_or_create(
            organization=organization,
            resource=resource.name,
            name=name,
            defaults={"mapping": dict(mapping)},
        )


def too_many() -> ApiError:
    text = f"The organization has {MAX_SAVED_MAPPINGS} saved mappings, the maximum."
    details = {"maximum": MAX_SAVED_MAPPINGS}
    return ApiError(BatchErrorCode.TOO_MANY_MAPPINGS, text, details)
