"""The words of filters in the admin."""

import pytest

from exports.admin.builder.operations import control_of, operation
from exports.admin.builder.state import FILTERS, OPTIONS
from exports.admin.words import condition_text
from exports.request.parser import parse_export
from longshore.resources.columns import ColumnType
from longshore.resources.comparisons import Operator
from longshore.resources.matchers import MATCHERS


@pytest.mark.parametrize(
    ("column", "kind", "matcher", "value"),
    [
        ("email", ColumnType.TEXT, "null", "true"),
        ("email", ColumnType.TEXT, "eq", "a"),
        ("email", ColumnType.TEXT, "not_eq", "a"),
        ("email", ColumnType.TEXT, "not_in", ["a", "b"]),
        ("email", ColumnType.TEXT, "not_in_or_null", ["a", "b"]),
        ("email", ColumnType.TEXT, "blank", "true"),
        ("created_at", ColumnType.DATETIME, "gteq", "2024-12-25"),
        ("created_at", ColumnType.DATETIME, "lt", "2024-12-25"),
    ],
)
def test_the_builder_and_the_page_of_an_export_name_a_filter_alike(
    column: str, kind: ColumnType, matcher: str, value: object
) -> None:
    body = {"resource": "contact", "filters": {f"{column}_{matcher}": value}}
    [condition] = parse_export(body).selection.conditions
    words = operation(FILTERS, matcher, kind).label
    assert words in condition_text(condition)


def test_each_operator_of_both_languages_has_words() -> None:
    for kind in ColumnType:
        for name in MATCHERS:
            words = operation(FILTERS, name, kind).label
            assert words.split()[0].strip(",") in {"is", "has", "does", *_VERBS}, name
        for operator in [each for each in Operator if "like" not in each]:
            assert operation(OPTIONS, operator, kind).label.startswith(("is", "has"))
    assert operation(FILTERS, "lteq_all", ColumnType.INTEGER).label == "is at most all of"
    assert operation(FILTERS, "start_any", ColumnType.TEXT).label == "starts with at least one of"
    assert operation(OPTIONS, "unknown", ColumnType.TEXT).label == "unknown"
    assert control_of(OPTIONS, "unknown") == "value"


_VERBS = {"matches", "starts", "ends", "contains"}
