"""Each function that the benchmarks of batches measure works, on a few rows."""

from pathlib import Path

import pytest
from pytest_django import Settings

from benchmarks import batch_contenders, batch_data, batches
from benchmarks.batch_data import CREATE_FILE, ORGANIZATION, UPDATE_FILE, updating
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact

_ROWS = 3
_OTHERS = tuple(batches.MIN_RATIOS)


@pytest.fixture
def organization(transactional_db: None, settings: Settings, tmp_path: Path) -> Organization:
    """Return the organization of the benchmark, whose files are in a folder of the test."""
    options = settings.STORAGES["longshore"]["OPTIONS"] | {"location": str(tmp_path)}
    default = settings.STORAGES["longshore"] | {"OPTIONS": options}
    settings.STORAGES = settings.STORAGES | {"longshore": default}
    settings.LOCAL_DIR = tmp_path
    return Organization.objects.create(name=ORGANIZATION, slug=ORGANIZATION)


def create(dry_run: bool = False) -> None:
    batch_data.queue(batch_data.new_contacts(_ROWS), dry_run=dry_run)
    name = batch_data.VALIDATED if dry_run else batch_data.CREATED
    assert batch_contenders.CONTENDERS[name](_ROWS) > 0


def nicknames(organization: Organization) -> list[str | None]:
    return list(
        Contact.objects.filter(organization=organization).values_list("nickname", flat=True)
    )


def test_batches_validate_create_update_and_recognize_contacts(organization: Organization) -> None:
    create(dry_run=True)
    assert nicknames(organization) == []
    create()
    assert nicknames(organization) == ["Nick"] * _ROWS
    changed = list(batch_data.changed_contacts(batches.created_ids()))
    for name in (batch_data.UPDATED, batch_data.UNCHANGED):
        batch_data.queue(changed)
        assert batch_contenders.CONTENDERS[name](_ROWS) > 0
    assert nicknames(organization) == ["Nicky"] * _ROWS


@pytest.mark.parametrize("name", _OTHERS)
def test_another_way_creates_contacts(organization: Organization, name: str) -> None:
    batches.write(batch_data.path(CREATE_FILE), batch_data.new_contacts(_ROWS))
    batch_contenders.CONTENDERS[name](_ROWS)
    assert nicknames(organization) == ["Nick"] * _ROWS
    assert {each["line1"] for each in Contact.objects.values_list("address", flat=True)}


@pytest.mark.parametrize("name", _OTHERS)
def test_another_way_updates_contacts(organization: Organization, name: str) -> None:
    create()
    changed = batch_data.changed_contacts(batches.created_ids())
    batches.write(batch_data.path(UPDATE_FILE), changed)
    batch_contenders.CONTENDERS[updating(name)](_ROWS)
    assert nicknames(organization) == ["Nicky"] * _ROWS
