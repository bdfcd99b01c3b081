"""The words of filters in the admin."""

import pytest

from exports.admin.builder.operations import control_of, operation
from exports.admin.builder.state import FILTERS, OPTIONS
from exports.admin.words import condition_text
from exports.request.parser import parse_export
from longshore.resources.columns import ColumnType
from longshore.resources.comparisons import LIKE_OPERATORS, Operator
from longshore.resources.conditions import Condition
from longshore.resources.matchers import MATCHERS
from longshore.resources.registry import registry

CONTACT = registry.get("contact")


@pytest.mark.parametrize(
    ("column", "kind", "matcher", "value", "shown"),
    [
        ("email", ColumnType.TEXT, "null", "true", ""),
        ("email", ColumnType.TEXT, "eq", "a", " “a”"),
        ("email", ColumnType.TEXT, "not_eq", "a", " “a”"),
        ("email", ColumnType.TEXT, "not_in", ["a", "b"], " “a” or “b”"),
        ("email", ColumnType.TEXT, "not_in_or_null", ["a", "b"], " “a” or “b”"),
        ("email", ColumnType.TEXT, "blank", "true", ""),
        ("created_at", ColumnType.DATETIME, "gteq", "2024-12-25", " 2024-12-25 UTC"),
        ("created_at", ColumnType.DATETIME, "lt", "2024-12-25", " 2024-12-25 UTC"),
    ],
)
def test_the_builder_and_the_page_of_an_export_name_a_filter_alike(
    column: str, kind: ColumnType, matcher: str, value: object, shown: str
) -> None:
    body = {"resource": "contact", "filters": {f"{column}_{matcher}": value}}
    [condition] = parse_export(body).selection.conditions
    words = operation(FILTERS, matcher, kind).label
    name = column.replace("_", " ").capitalize()
    assert condition_text(condition, CONTACT) == f"{name} {words}{shown}"


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        (
            "created_at",
            "2024-12-25T14:30:00.25Z",
            "is from 2024-12-25 14:30:00.250000 UTC until before 2024-12-25 14:30:00.260000 UTC",
        ),
        ("created_at", "infinity", "is on “infinity”"),
        # Texts that look like a time and like an interval.
        ("email", "2024-12-25", "is “2024-12-25”"),
        ("email", "2024-12-25/2024-12-26", "is “2024-12-25/2024-12-26”"),
    ],
)
def test_the_type_of_the_column_says_whether_a_value_is_a_time(
    column: str, value: str, shown: str
) -> None:
    body = {"resource": "contact", "filters": {f"{column}_eq": value}}
    [condition] = parse_export(body).selection.conditions
    assert condition_text(condition, CONTACT).endswith(shown)


def test_a_column_that_does_not_exist_any_more_has_values_as_stored() -> None:
    condition = Condition("past_column", Operator.GT, ("2024-12-25",))
    for resource in (CONTACT, None):
        assert condition_text(condition, resource) == "Past column is greater than “2024-12-25”"


def test_each_operator_of_both_languages_has_words() -> None:
    for kind in ColumnType:
        for name in MATCHERS:
            words = operation(FILTERS, name, kind).label
            assert words.split()[0].strip(",") in {"is", "has", "does", *_VERBS}, name
        for operator in Operator:
            # `options` has no LIKE: its operators are shown like unknown ones.
            verbs = (operator,) if operator in LIKE_OPERATORS else ("is", "has")
            assert operation(OPTIONS, operator, kind).label.startswith(verbs)
    assert operation(FILTERS, "lteq_all", ColumnType.INTEGER).label == "is at most all of"
    assert operation(FILTERS, "start_any", ColumnType.TEXT).label == "starts with at least one of"
    assert operation(OPTIONS, "unknown", ColumnType.TEXT).label == "unknown"
    assert control_of(OPTIONS, "unknown") == "value"


_VERBS = {"matches", "starts", "ends", "contains"}
