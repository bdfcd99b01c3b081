"""Limits of all filters of one request, in both filter languages together."""

import time
from typing import Any
from uuid import UUID

import pytest

from longshore.api.errors import Problem
from longshore.resources.budget import (
    MAX_CHARACTERS,
    MAX_COMPARISONS,
    MAX_VALUES,
)
from longshore.resources.conditions import where
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.expressions import ROW
from longshore.resources.filters import Selection
from longshore.resources.predicates import parse_selection
from longshore.resources.registry import registry
from longshore.resources.timezones import UTC
from tests.conftest import KeyClient

TEN = "_or_".join(
    [
        *("id", "provider", "tracking_number", "tracking_url", "label_url"),
        *("currency", "notes", "order_number", "rma_number", "invoice_number"),
    ]
)


def parsed(options: dict[str, Any], filters: dict[str, Any]) -> tuple[Selection, list[Problem]]:
    resource = registry.get("shipment")
    assert resource is not None
    return parse_selection(resource, options, filters, UTC)


def refused(options: dict[str, Any], filters: dict[str, Any], text: str) -> None:
    began = time.process_time()
    _, problems = parsed(options, filters)
    assert time.process_time() - began < 5
    assert problems[0].code is ResourceErrorCode.INVALID_FILTER
    assert text in problems[0].message or text in str(problems[0].accepted), problems[0]


def ids(count: int) -> list[str]:
    return [f"ship_{number:023}" for number in range(count)]


def test_more_than_ten_thousand_values_are_refused() -> None:
    assert parsed({}, {"id_in": ids(MAX_VALUES)})[1] == []
    half = MAX_VALUES // 2
    assert parsed({"id": ids(half)}, {"order_number_in": ids(half)})[1] == []
    refused({"id": ids(half)}, {"order_number_in": ids(half + 1)}, "10,000 values in all")
    many = "The filter has 10,001 values; the maximum is 10,000."
    for values in (ids(MAX_VALUES + 1), ",".join(ids(MAX_VALUES + 1))):
        refused({"id": values}, {}, many)
        refused({}, {"id_in": values}, many)
    assert parsed({"id": ",".join(ids(MAX_VALUES))}, {})[1] == []


@pytest.mark.parametrize("operator", ["", "in:", "not_in:"])
def test_a_list_and_a_comma_separated_text_have_the_same_limit(operator: str) -> None:
    uuids = [str(UUID(int=number)) for number in range(4_500)]
    assert parsed({"order_number": uuids}, {})[1] == []
    assert parsed({"order_number": operator + ",".join(uuids)}, {})[1] == []


@pytest.mark.parametrize("text", ["%a" * 200_000, "%" * 1_001])
@pytest.mark.parametrize("matcher", ["matches", "does_not_match", "cont", "start", "end"])
def test_a_pattern_has_at_most_a_thousand_characters(matcher: str, text: str) -> None:
    refused({}, {f"notes_{matcher}": text}, "at most 1,000 characters" if len(text) < 2_000 else "")
    assert parsed({}, {f"notes_{matcher}": "a" * 1_000})[1] == []
    if matcher != "does_not_match":
        refused({}, {f"notes_{matcher}_any": ["a", "b" * 1_001]}, "at most 1,000 characters")


def test_too_many_comparisons_in_all_filters_are_refused() -> None:
    twenty = [f"{TEN}_{name}" for name in ("matches", "cont", "start", "end", "eq", "not_eq")]
    twenty += [f"{TEN}_{name}" for name in ("does_not_match", "not_cont", "not_start", "not_end")]
    filters = dict.fromkeys(twenty, "a") | {
        name.replace("id_or_provider", "provider_or_id"): "a" for name in twenty
    }
    assert parsed({}, filters)[1] == []
    assert len(filters) * 10 == MAX_COMPARISONS
    refused({"status": "delivered"}, filters, f"more than {MAX_COMPARISONS} comparisons")
    refused({}, filters | {"notes_null": True}, f"at most {MAX_COMPARISONS} comparisons")


def test_too_many_characters_in_all_filters_are_refused() -> None:
    refused({"metadata": {"a": "b" * MAX_CHARACTERS}}, {}, "300,000 characters")
    refused({"notes": "x" * 150_000}, {"notes_not_eq": "x" * 150_001}, "300,000 characters")
    refused({}, {f"{TEN}_eq": "x" * 30_001}, "300,000 characters")
    refused({"x" * 301: "a"}, {}, "the maximum is 300.")
    refused({"metadata." + "k." * 200_000 + "k": "a"}, {}, "the maximum is 300.")


def test_the_largest_condition_compiles_to_a_bounded_statement() -> None:
    """Quotes are doubled, and a key of a JSON column is compared as text and as number."""
    resource = registry.get("shipment")
    assert resource is not None
    for options in (
        {f"metadata.{'k' * 250}{number}": "'" * 2_990 for number in range(99)},
        {f"metadata.{'k' * 250}{number}": ["9" * 28] * 100 for number in range(99)},
        {"id": ["'" * 60 + str(number) for number in range(4_600)]},
    ):
        selection, problems = parsed(options, {})
        assert problems == []
        text = where(resource, "org", selection.conditions, ROW).as_string(None)
        assert len(text) < 1_000_000


def test_a_comma_list_of_a_megabyte_is_refused_without_splitting() -> None:
    refused({"id": "1," * 500_000 + "1"}, {}, "at most 10,000 values")
    refused({}, {"id_in": "1," * 500_000 + "1"}, "at most 10,000 values")


@pytest.mark.django_db
def test_lists_and_previews_have_the_same_limits(alice: KeyClient) -> None:
    text = "filters[notes_matches]"
    listed = alice.get("/v1/shipments", {text: "%" * 1_001})
    previewed = alice.post(
        "/v1/exports/preview", {"resource": "shipment", "filters": {"notes_matches": "%" * 1_001}}
    )
    for response in (listed, previewed):
        assert response.status_code == 400
        [problem] = response.json()["details"]["problems"]
        assert problem["accepted"] == "a text of at most 1,000 characters"
