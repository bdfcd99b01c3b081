"""Who may read a resource: the scopes of API keys and the roles of the staff that it declares."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from longshore.accounts.models import ApiKey
from longshore.accounts.roles import is_superuser, role_names
from longshore.accounts.staff import Person
from longshore.api.errors import ApiError, ErrorCode
from longshore.resources.conditions import tested_resources
from longshore.resources.includes import included_resources
from longshore.resources.listing import Listing
from longshore.resources.registry import Resource, registry


def check_key(resources: Iterable[Resource], api_key: ApiKey) -> None:
    """Raise ApiError if an API key may not read one of the resources."""
    for resource in resources:
        if resource.scopes and not resource.scopes & {*api_key.scopes}:
            accepted = sorted(resource.scopes)
            text = f"{resource.name} needs an API key with the scope {' or '.join(accepted)}."
            details = {"required_scopes": accepted, "scopes": [*api_key.scopes]}
            raise ApiError(ErrorCode.FORBIDDEN, text, details)


def check_names(names: Iterable[str], api_key: ApiKey) -> None:
    """Raise ApiError if an API key may not read one of the resources with these names."""
    check_key([each for each in registry if each.name in {*names}], api_key)


def check_listing(listing: Listing, api_key: ApiKey) -> None:
    """Raise ApiError if an API key may not read the resource of a list.

    Also if it may not read a resource that the list includes or tests.
    """
    tested = tested_resources(listing.resource, listing.selection.conditions)
    included = included_resources(listing.resource, listing.includes)
    check_key([listing.resource, *included, *tested], api_key)


def check_person(resources: Iterable[Resource], person: Person) -> None:
    """Raise ApiError if a member of staff may not read one of the resources.

    Superusers may read all of them.
    """
    restricted = [each for each in resources if each.roles]
    if not restricted or is_superuser(person):
        return
    roles = {*role_names(person)}
    for resource in restricted:
        if not resource.roles & roles:
            text = f"{resource.name} needs the role {' or '.join(sorted(resource.roles))}."
            raise ApiError(ErrorCode.FORBIDDEN, text, {"required_roles": sorted(resource.roles)})


def check_person_names(names: Iterable[str], person: Person) -> None:
    """Raise ApiError if a member of staff may not read one of the resources with these names."""
    check_person([each for each in registry if each.name in {*names}], person)


def check_job(job: Any, person: Person) -> None:
    """Raise ApiError if a member of staff may not read one of the resources of a job."""
    check_person_names(_names_of(job), person)


def may_read_job(job: Any, person: Person) -> bool:
    """Return whether a member of staff may read all resources of a job."""
    return may_read(_names_of(job), person)


def _names_of(job: Any) -> list[str]:
    return [job.resource, *job.other_resources]


def may_read(names: Iterable[str], person: Person) -> bool:
    """Return whether a member of staff may read all resources with these names."""
    try:
        check_person_names(names, person)
    except ApiError:
        return False
    return True


def unreadable(api_key: ApiKey) -> Q | None:
    """Return a filter of the jobs or events that an API key may not read; None if it reads all.

    They have the fields `resource` and `other_resources`.
    """
    scopes = {*api_key.scopes}
    names = [each.name for each in registry if each.scopes and not each.scopes & scopes]
    return Q(resource__in=names) | Q(other_resources__overlap=names) if names else None


def restricted(names: Iterable[str]) -> list[str]:
    """Return those of some names that are resources which not every API key may read."""
    return sorted(each.name for each in registry if each.scopes and each.name in {*names})
