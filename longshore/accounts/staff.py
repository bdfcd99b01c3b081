"""Which organizations a member of staff may see.

A person is either not bound and sees all organizations, or bound and sees only some. Permissions
(roles) are independent of this: they decide what the person may do there.
"""

from dataclasses import dataclass
from typing import TypeVar

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Model, OuterRef, QuerySet

from longshore.accounts.models import Organization, StaffProfile

M = TypeVar("M", bound=Model)
Person = AbstractBaseUser | AnonymousUser
# The attribute of a user that keeps its access during a request.
_CACHE = "_longshore_access"


@dataclass(frozen=True)
class Access:
    """What the profile and the second factor of a person say.

    organizations: ids of those that the person may see; None for all.
    timezone: IANA name; "" if the person has not chosen one.
    second_factor: id of the person's second factor; None without one.
    """

    organizations: frozenset[str] | None = None
    timezone: str = ""
    second_factor: int | None = None


def access(user: Person) -> Access:
    """Return the access of a person. Costs one query per user object, which a request has once."""
    found: Access | None = getattr(user, _CACHE, None)
    if found is None:
        found = _read(user)
        setattr(user, _CACHE, found)
    return found


def _read(user: Person) -> Access:
    if user.pk is None:
        return Access()
    members = StaffProfile.organizations.through._default_manager.filter(
        staffprofile=OuterRef("pk")
    )
    people = get_user_model()._default_manager.filter(pk=user.pk)
    is_bound, zone, second_factor, bound_to = people.values_list(
        "staff_profile__is_bound",
        "staff_profile__timezone",
        "second_factor",
        ArraySubquery(members.values("organization")),
    ).get()
    # Without the flag, a person whose only organization was deleted would see all others.
    allowed = frozenset[str](bound_to) if is_bound or bound_to else None
    return Access(allowed, zone or "", second_factor)


def is_bound(user: Person) -> bool:
    """Return whether a person may see only some organizations."""
    return access(user).organizations is not None


def organizations(user: Person) -> QuerySet[Organization]:
    """Return the organizations that a person may see: all if the person is not bound."""
    return restrict(Organization.objects.all(), user, "pk")


def restrict(queryset: QuerySet[M], user: Person, path: str = "organization") -> QuerySet[M]:
    """Return the records whose organization a person may see.

    path: lookup of the organization, such as `subscription__organization`.
    """
    allowed = access(user).organizations
    # Literals, not a subquery: the planner then uses the indexes that begin with the organization.
    return queryset if allowed is None else queryset.filter(**{f"{path}__in": sorted(allowed)})
