"""Primary keys that people choose: the model has no default for them, so a row gives them."""

from dataclasses import replace
from typing import Any

import psycopg
import pytest
from django.db import connection

from batches.execution.preview_rows import read_rows
from batches.spec import Action, Duplicates, Only
from batches.staging import Step
from longshore.accounts.models import Organization
from longshore.api.errors import InvalidInput
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
    with pytest.raises(InvalidInput) as raised:
        stage(acme, NATURAL, ["text"], [["a"]])
    [problem] = raised.value.problems
    assert (problem.code, problem.field) == ("missing_column", "id")


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
    assert "the primary key 'id' has no default and is not writable" in noted.msg
    assert [*check_resource(NATURAL)] == []


def test_a_refused_row_keeps_its_record_in_an_overwrite(acme: Organization) -> None:
    rows = [["a", "1"], ["b", "one"], ["c", "3"]]
    attempt = stage(acme, NATURAL, ["id", "integer"], rows, action=Action.OVERWRITE)
    steps = {each["key"]: each["step"] for each in attempt.plan()}
    assert steps == {"a": Step.CREATE, "b": Step.REFUSED, "c": Step.CREATE}


def test_a_preview_shows_the_keys_of_new_records(acme: Organization) -> None:
    attempt = staged(acme, ("new", "a"))
    cursor: psycopg.Cursor[Any] = connection.connection.cursor()
    [row] = read_rows(cursor, attempt.validated, 5)
    assert (row["action"], row["id"], row["values"]) == ("create", "new", {"text": "a"})
