"""A batch into each awkward model works, or is refused by name."""

from datetime import UTC, datetime
from typing import Any

import pytest

from batches.request.parser import parse_batch, writable_resources
from batches.staging import Step
from longshore.accounts.models import Organization
from longshore.api.errors import InvalidInput
from tests.awkward.models import Invoice, Typed
from tests.batches.staged import stage


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("country", "all organizations share them"),
        ("bistro", "each record has rows in several tables"),
        ("team", "the organization of each record is stored in another table"),
    ],
)
def test_models_that_a_batch_cannot_write_are_refused_by_name(
    name: str, reason: str, awkward: Any, acme: Organization
) -> None:
    assert name not in writable_resources()
    body = {"resource": name, "action": "merge", "data": [{"name": "x"}]}
    with pytest.raises(InvalidInput) as error:
        parse_batch(body, acme)
    plural = awkward.get(name).plural
    [problem] = [each for each in error.value.problems if each.field == "resource"]
    assert problem.message == f"A batch cannot write {plural}: {reason}."


def test_batch_into_a_table_of_another_schema(awkward: None, acme: Organization) -> None:
    Invoice.objects.create(organization=acme, number="1", issued="2024-07-04")
    rows = [["1", "2024-07-05"], ["2", "2024-07-06"], ["3", "never"]]
    attempt = stage(acme, "invoice", ["number", "issued"], rows)
    assert [(row, column) for row, column, *_ in attempt.errors] == [(3, "issued")]
    steps = [each["step"] for each in attempt.plan() if each["row"] < 3]
    assert steps == [Step.UPDATE, Step.CREATE]


def test_values_of_odd_types_are_converted(awkward: None, acme: Organization) -> None:
    header = ["mood", "free_mood", "moments", "days", "flags", "moods", "local", "blob"]
    row = [
        *("happy", "sad", "2024-07-04T14:30:00+02:00", "2024-07-04", "true, false", "sad, happy"),
        *("2024-07-04T14:30:00+02:00", "AAE="),
    ]
    wrong = ["angry", "angry", "never", "never", "perhaps", "angry", "never", "!"]
    attempt = stage(acme, "typed", header, [row, wrong])
    [typed] = [each for each in attempt.typed() if each["row"] == 1]
    moment = datetime(2024, 7, 4, 12, 30, tzinfo=UTC)
    assert datetime.fromisoformat(typed["moments"][0]) == moment
    # The stored value is a time in the time zone of the connection, UTC.
    assert typed["local"] == "2024-07-04T12:30:00"
    assert typed["flags"] == [True, False]
    assert (typed["mood"], typed["moods"], typed["days"]) == (
        "happy",
        ["sad", "happy"],
        ["2024-07-04"],
    )
    assert {column for row, column, *_ in attempt.errors if row == 2} == set(header)


def test_columns_that_a_batch_cannot_store_are_read_only(awkward: Any) -> None:
    writable = awkward.get("typed").writable_columns
    assert {"matrix", "blobs", "attributes", "password"}.isdisjoint(writable)
    assert {"moments", "flags", "local", "blob"} <= set(writable)
    assert Typed._meta.get_field("matrix").editable
