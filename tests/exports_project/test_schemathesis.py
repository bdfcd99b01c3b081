"""Random requests that the API description allows get responses that conform to it."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from pytest_django import Settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from exports_project.wsgi import application
from longshore.accounts.models import Organization
from tests.conftest import KeyClient
from tests.descriptions import COMMITTED, parse
from tests.factories import (
    ContactFactory,
    GroupFactory,
    LocationFactory,
    ShipmentFactory,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Without the coverage phase, which tries each of hundreds of filters in many ways.
CONFIG = SchemathesisConfig.from_dict({"phases": {"coverage": {"enabled": False}}})
# Not requested from the application, which would generate it while pytest collects the tests.
schema = schemathesis.openapi.from_dict(parse(COMMITTED.read_text()), config=CONFIG)
schema.app = application


@pytest.fixture
def records(acme: Organization) -> None:
    """Records to list and to export."""
    group = GroupFactory.create(organization=acme)
    ContactFactory.create(organization=acme, groups=[group])
    location = LocationFactory.create(organization=acme)
    ShipmentFactory.create_batch(3, organization=acme, location=location, metadata={"a": [1]})


@pytest.mark.django_db(transaction=True)
@schema.parametrize()
@settings(
    # Few, because they are always the same. `make fuzz` sends many.
    max_examples=6,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_responses_conform_to_the_description(
    case: Any, alice: KeyClient, records: None, settings: Settings
) -> None:
    settings.API_RATE_LIMIT = ""
    case.call_and_validate(headers={"PX-API-KEY": alice.key}, checks=CHECKS)
