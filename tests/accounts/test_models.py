"""Ids and database constraints of organizations and API keys."""

import pytest
from django.db import IntegrityError

from longshore.accounts.models import ApiKey, Organization

pytestmark = pytest.mark.django_db


def test_ids_start_with_the_prefix_of_their_kind(acme: Organization) -> None:
    api_key, key = ApiKey.objects.create_key(organization=acme, name="ci")
    assert acme.pk.startswith("org_")
    assert api_key.pk.startswith("key_")
    assert key not in (api_key.pk, api_key.hashed_key)
    assert key.startswith(api_key.prefix)


def test_slugs_are_unique(acme: Organization) -> None:
    with pytest.raises(IntegrityError, match="longshore_accounts_organization_slug"):
        Organization.objects.create(name="Another", slug=acme.slug)


@pytest.mark.parametrize(
    ("scopes", "constraint"),
    [([], "api_key_has_at_least_one_scope"), (["read", "root"], "api_key_has_only_known_scopes")],
)
def test_empty_and_unknown_scopes_are_refused(
    acme: Organization, scopes: list[str], constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        ApiKey.objects.create_key(organization=acme, name="ci", scopes=scopes)
