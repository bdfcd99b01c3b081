"""Members of the staff."""

from collections.abc import Iterable

from django.contrib.auth.base_user import AbstractBaseUser

from longshore.accounts.models import Organization, StaffProfile


def bind(user: AbstractBaseUser, organizations: Iterable[Organization]) -> None:
    """Bind a person to these organizations and to no others."""
    profile, _ = StaffProfile.objects.update_or_create(pk=user.pk, defaults={"is_bound": True})
    profile.organizations.set(organizations)
