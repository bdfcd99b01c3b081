"""Examples of requests in the API's description: declared by apps, with a fallback."""

import pytest

from exports.request.parser import parse_export
from longshore.resources.registry import Registry
from longshore.resources.request_examples import (
    RequestExample,
    RequestExamples,
    request_examples,
    sample_resource,
)


@pytest.mark.django_db
@pytest.mark.parametrize("example", list(request_examples), ids=lambda example: example.title)
def test_declared_example_is_a_valid_request(example: RequestExample) -> None:
    assert parse_export(dict(example.body)).columns


def test_titles_of_examples_are_unique() -> None:
    titles = [example.title for example in request_examples]
    assert len(titles) == len(set(titles)) == 7


def test_first_resource_is_the_example_if_none_is_declared() -> None:
    assert [example.body for example in RequestExamples()] == [{"resource": sample_resource()[0]}]


def test_there_are_no_examples_without_resources(own_registry: Registry) -> None:
    for name in own_registry.names():
        own_registry.unregister(name)
    assert list(RequestExamples()) == []
    assert sample_resource() == ("booking", "bookings")
