"""Who may read a resource: the scopes of API keys and the roles of the staff that it declares."""

from collections.abc import Iterable

from django.contrib.auth.models import AbstractUser, AnonymousUser

from longshore.accounts.models import ApiKey
from longshore.accounts.staff import Person
from longshore.api.errors import ApiError, ErrorCode
from longshore.resources.registry import Resource


def check_key(resources: Iterable[Resource], api_key: ApiKey) -> None:
    """Raise ApiError if an API key may not read one of the resources."""
    for resource in resources:
        if resource.scopes and not resource.scopes & {*api_key.scopes}:
            accepted = sorted(resource.scopes)
            text = f"{resource.name} needs an API key with the scope {' or '.join(accepted)}."
            details = {"required_scopes": accepted, "scopes": [*api_key.scopes]}
            raise ApiError(ErrorCode.FORBIDDEN, text, details)


def check_person(resources: Iterable[Resource], person: Person) -> None:
    """Raise ApiError if a member of staff may not read one of the resources.

    Superusers may read all of them.
    """
    restricted = [each for each in resources if each.roles]
    if not restricted or getattr(person, "is_superuser", False):
        return
    roles: set[str] = set()
    if isinstance(person, AbstractUser) and not isinstance(person, AnonymousUser):
        roles = set(person.groups.values_list("name", flat=True))
    for resource in restricted:
        if not resource.roles & roles:
            text = f"{resource.name} needs the role {' or '.join(sorted(resource.roles))}."
            raise ApiError(ErrorCode.FORBIDDEN, text, {"required_roles": sorted(resource.roles)})


def unreadable_names(resources: Iterable[Resource], api_key: ApiKey) -> list[str]:
    """Return the names of the resources that an API key may not read."""
    scopes = {*api_key.scopes}
    return [each.name for each in resources if each.scopes and not each.scopes & scopes]
