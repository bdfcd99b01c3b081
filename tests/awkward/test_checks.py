"""The declarations of awkward models pass the checks, and wrong ones are reported, not failing."""

import pytest

from longshore.resources.checks import check_resource
from longshore.resources.registry import Resource
from tests.awkward.models import COUNTRY, RESOURCES


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.name)
def test_awkward_models_pass_the_checks(resource: Resource, awkward: None) -> None:
    expected = ["longshore_resources.I001"] if resource is COUNTRY else []
    assert [each.id for each in check_resource(resource)] == expected
