"""Numbered pages."""

import pytest
from pytest_django import DjangoAssertNumQueries

from dialects.base.pages import MAX_ROWS, PageParameters, PageRequest
from longshore.accounts.models import Organization
from longshore.api.errors import InvalidInput

PARAMETERS = PageParameters("page[number]", "page[size]", default_size=10, max_size=25)


def test_a_request_without_parameters_gets_the_first_page() -> None:
    assert PARAMETERS.read({}) == PageRequest(1, 10)
    assert PARAMETERS.read({"page[number]": "3", "page[size]": "25"}) == PageRequest(3, 25)


@pytest.mark.parametrize("text", ["0", "-1", "26", "1.5", "", " 1", "٣", "1" * 5000])
def test_a_size_that_is_not_accepted_is_an_error(text: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        PARAMETERS.read({"page[size]": text})
    [problem] = raised.value.problems
    assert (problem.field, problem.accepted) == ("page[size]", "a whole number from 1 to 25")


def test_all_mistakes_are_reported_together() -> None:
    with pytest.raises(InvalidInput) as raised:
        PARAMETERS.read({"page[number]": "x", "page[size]": "y"})
    assert [each.field for each in raised.value.problems] == ["page[number]", "page[size]"]


def test_the_depth_is_bounded() -> None:
    last = MAX_ROWS // 25
    assert PARAMETERS.read({"page[number]": str(last), "page[size]": "25"}).offset < MAX_ROWS
    with pytest.raises(InvalidInput, match=f"Page {last + 1} of 25 rows is beyond the first"):
        PARAMETERS.read({"page[number]": str(last + 1), "page[size]": "25"})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("number", "names", "has_more"),
    [(1, ["a", "b"], True), (2, ["c", "d"], True), (3, ["e"], False), (4, [], False)],
)
def test_a_page_has_its_rows_and_the_numbers_of_all(
    number: int,
    names: list[str],
    has_more: bool,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for name in "edcba":
        Organization.objects.create(name=name, slug=name)
    with django_assert_num_queries(1 + bool(names)):
        page = PageRequest(number, 2).of(Organization.objects.order_by("name"))
    assert [each.name for each in page.rows] == names
    assert (page.total, page.count, page.has_more) == (5, 3, has_more)


@pytest.mark.django_db
def test_an_empty_list_has_no_pages() -> None:
    page = PageRequest(1, 2).of(Organization.objects.order_by("name"))
    assert (page.rows, page.total, page.count, page.has_more) == ([], 0, 0, False)
