"""What the database lets nobody write."""

import pytest
from django.db import IntegrityError

from longshore.accounts.models import ApiKey, Organization

pytestmark = pytest.mark.django_db


def test_ids_show_what_they_name(acme: Organization) -> None:
    api_key, key = ApiKey.objects.create_key(organization=acme, name="ci")
    assert acme.pk.startswith("org_")
    assert api_key.pk.startswith("key_")
    assert key not in (api_key.pk, api_key.hashed_key)
    assert key.startswith(api_key.prefix)


def test_a_slug_names_one_organization(acme: Organization) -> None:
    with pytest.raises(IntegrityError, match="longshore_accounts_organization_slug"):
        Organization.objects.create(name="Another", slug=acme.slug)


@pytest.mark.parametrize(
    ("scopes", "constraint"),
    [([], "api_key_has_at_least_one_scope"), (["read", "root"], "api_key_has_only_known_scopes")],
)
def test_scopes_are_some_of_the_known(
    acme: Organization, scopes: list[str], constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        ApiKey.objects.create_key(organization=acme, name="ci", scopes=scopes)
