"""Each function that the benchmarks measure works, on a few rows."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from benchmarks import contenders, format_contenders, include_contenders, names
from benchmarks.data import ORGANIZATION
from benchmarks.orders import fill_orders
from longshore.accounts.models import Organization
from tests.factories import ContactFactory, ShipmentFactory

_ROWS = 2
# Functions whose result is the number of bytes of a file that they write.
_FILES = {
    **{name: each for name, each in contenders.CONTENDERS.items() if "/dev/null" not in name},
    **{name: each for name, each in format_contenders.CONTENDERS.items() if "COPY" not in name},
}
_STATEMENTS = {
    name: each
    for name, each in {**contenders.CONTENDERS, **format_contenders.CONTENDERS}.items()
    if name not in _FILES
}


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> None:
    """Write all files into a folder of the test."""
    options = settings.STORAGES["longshore"]["OPTIONS"] | {"location": str(tmp_path)}
    default = settings.STORAGES["longshore"] | {"OPTIONS": options}
    settings.STORAGES = settings.STORAGES | {"longshore": default}
    settings.LOCAL_DIR = tmp_path


@pytest.fixture
def organization(transactional_db: None) -> Organization:
    return Organization.objects.create(name=ORGANIZATION, slug=ORGANIZATION)


@pytest.fixture
def records(organization: Organization) -> None:
    ShipmentFactory.create_batch(_ROWS, organization=organization)
    ContactFactory.create_batch(_ROWS, organization=organization)


@pytest.mark.usefixtures("records", "folder")
@pytest.mark.parametrize("contender", _FILES.values(), ids=_FILES)
def test_writes_a_file(contender: Callable[[int], int]) -> None:
    assert contender(_ROWS) > 0


@pytest.mark.usefixtures("records")
@pytest.mark.parametrize("contender", _STATEMENTS.values(), ids=_STATEMENTS)
def test_runs_a_statement_on_the_server(contender: Callable[[int], int]) -> None:
    assert contender(_ROWS) == 0


@pytest.mark.usefixtures("organization", "folder")
@pytest.mark.parametrize(
    "name", [name for name in include_contenders.CONTENDERS if name != names.SERVER]
)
def test_writes_orders_with_related_records(name: str) -> None:
    fill_orders(_ROWS)
    assert include_contenders.CONTENDERS[name](_ROWS) > 0
