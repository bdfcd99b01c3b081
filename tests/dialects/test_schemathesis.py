"""Random requests that the description of a dialect allows get responses that conform to it.

`make fuzz FUZZ="--api packagex"` sends more of them.
"""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from pytest_django import Settings
from schemathesis.core.result import Ok

from dialects.base.apps import installed_dialects
from exports_project.wsgi import application
from longshore.accounts.models import Organization
from tests.conftest import KeyClient
from tests.descriptions import committed, parse
from tests.exports_project.test_schemathesis import CHECKS, CONFIG
from tests.factories import ContactFactory


def _operations() -> list[Any]:
    """Return a parameter for each operation of each dialect."""
    found = []
    for dialect in installed_dialects():
        description = parse(committed(dialect.dialect_name).read_text())
        schema = schemathesis.openapi.from_dict(description, config=CONFIG)
        schema.app = application
        for each in schema.get_all_operations():
            assert isinstance(each, Ok)
            operation = each.ok()
            found.append(pytest.param(operation, id=f"{dialect.dialect_name} {operation.label}"))
    return found


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("operation", _operations())
def test_responses_conform_to_the_description(
    operation: Any, alice: KeyClient, acme: Organization, settings: Settings
) -> None:
    settings.API_RATE_LIMIT = settings.NEXTCOMMERCE_RATE_LIMIT = ""
    ContactFactory.create(organization=acme)
    _send(operation, alice.key)


def _send(operation: Any, key: str) -> None:
    @given(case=operation.as_strategy())
    @settings(
        max_examples=10,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    def send(case: Any) -> None:
        case.call_and_validate(headers={"PX-API-KEY": key}, checks=CHECKS)

    send()
