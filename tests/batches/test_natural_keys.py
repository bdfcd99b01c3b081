"""Primary keys that people choose: the model has no default for them, so a row gives them."""

from dataclasses import replace
from typing import Any

import pytest

from batches.spec import Action, Duplicates, Only
from longshore.accounts.models import Organization
from longshore.resources.checks import check_resource
from longshore.resources.registry import Resource
from tests.batches.staged import Attempt, stage
from tests.samples import SAMPLE, Sample

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("samples")]
# Its ids have at most 40 characters.
NATURAL = replace(SAMPLE, writable=("id", "text", "integer"))
FIXED = replace(SAMPLE, writable=("text",))


def staged(
    acme: Organization, *rows: tuple[Any, ...], resource: Resource = NATURAL, **spec: Any
) -> Attempt:
    return stage(acme, resource, ["id", "text"], rows, **spec)


def found(attempt: Attempt) -> list[tuple[Any, ...]]:
    return [(row, column, code) for row, column, code, _ in attempt.errors]


def test_a_row_creates_a_record_with_its_key_or_updates_it(acme: Organization) -> None:
    Sample.objects.create(id="old", organization=acme, text="a")
    attempt = staged(acme, ("old", "b"), ("new", "b"))
    assert attempt.errors == []
    assert [(each["key"], each["step"]) for each in attempt.plan()] == [("old", "u"), ("new", "c")]


def test_a_new_record_needs_a_key(acme: Organization) -> None:
    attempt = staged(acme, (None, "a"), ("", "b"), ("c", "c"))
    assert found(attempt) == [(1, "id", "missing_value"), (2, "id", "missing_value")]
    without = stage(acme, NATURAL, ["text"], [["a"]])
    assert found(without) == [(1, "id", "missing_value")]


def test_a_new_key_is_validated(acme: Organization) -> None:
    Sample.objects.create(id="old", organization=acme)
    assert found(staged(acme, ("x" * 41, "a"), ("x" * 40, "a"))) == [(1, "id", "too_long")]


def test_a_key_of_another_organization_is_taken(acme: Organization, globex: Organization) -> None:
    Sample.objects.create(id="theirs", organization=globex, text="secret")
    [(row, column, code, message)] = staged(acme, ("theirs", "a")).errors
    assert (row, column, code) == (1, "id", "not_unique")
    assert message == "Another sample has the same id."


def test_two_rows_with_one_new_key_are_duplicates(acme: Organization) -> None:
    codes = found(staged(acme, ("a", "1"), ("a", "2"), ("b", "3")))
    assert codes == [(1, "", "duplicate_row"), (2, "", "duplicate_row")]
    first = staged(acme, ("a", "1"), ("a", "2"), duplicates=Duplicates.USE_FIRST)
    assert found(first) == [(2, "", "duplicate_row")]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"only": Only.UPDATE}, [(2, "id", "not_found")]),
        ({"only": Only.CREATE}, [(1, "id", "already_exists")]),
        ({"action": Action.DELETE}, [(2, "id", "not_found")]),
    ],
)
def test_other_actions_create_or_find(
    acme: Organization, spec: dict[str, Any], expected: list[Any]
) -> None:
    Sample.objects.create(id="old", organization=acme)
    assert found(staged(acme, ("old", "a"), ("new", "a"), **spec)) == expected


def test_a_key_that_no_batch_may_write_creates_no_record(acme: Organization) -> None:
    Sample.objects.create(id="old", organization=acme)
    attempt = staged(acme, ("old", "a"), ("new", "a"), (None, "a"), resource=FIXED)
    assert found(attempt) == [(2, "id", "not_found"), (3, "id", "missing_key")]
    [noted] = check_resource(FIXED)
    assert noted.id == "longshore_resources.I002"
    assert "cannot create records, because the primary key 'id' has no default" in noted.msg
    assert [*check_resource(NATURAL)] == []
