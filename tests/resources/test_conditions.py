"""Every operator on every column type selects in SQL what it selects in Python."""

import itertools
import random
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from longshore.accounts.models import Organization
from longshore.resources.columns import ColumnType
from longshore.resources.comparisons import EQUALITY, NULL_TESTS, Operator
from longshore.resources.filters import operators
from tests.resources.conftest import Select
from tests.samples import SAMPLE, Sample

VALUES: dict[str, list[Any]] = {
    "text": [
        "",
        " ",
        "a",
        "A",
        "ä",
        "b",
        "gt:1",
        "is_null",
        "1",
        "'; --",
        r"\'",
        "%s",
        "{0}",
        "📦",
    ],
    "integer": [0, 1, -1, 7, 10, 2**63 - 1, -(2**63)],
    "decimal": [Decimal(n) for n in ("0", "0.1", "0.1000000001", "-2.5", "1E+15", "10")],
    "float": [0.0, 0.1, -2.5, 1e300, 1e-300, 1 / 3],
    "boolean": [True, False],
    "date": [date(2024, 2, 29), date(1, 1, 1), date(9999, 12, 31), date(2024, 3, 1)],
    "datetime": [
        datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2024, 3, 1, tzinfo=UTC),
        datetime(2024, 3, 1, 0, 0, 0, 1, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    ],
    "list": [[], ["a"], ["a", "b"], ["b", ""], ["a,b"], ['"'], ["{a}"], [r"\\"], ["NULL"]],
    "json": [{}, [], {"a": 1}, {"a": {"b": [1, "x"]}}, [1, 2], ["x", None], "x", 1, 1.0, True],
}
COMPARED: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.GT: lambda value, bound: value > bound,
    Operator.GTE: lambda value, bound: value >= bound,
    Operator.LT: lambda value, bound: value < bound,
    Operator.LTE: lambda value, bound: value <= bound,
}


def passes(value: Any, operator: Operator, given: list[Any]) -> bool:
    """Return whether a column's value passes an operator, evaluated in Python."""
    if value is None:
        return operator in (Operator.IS_NULL, Operator.NOT_EQUALS, Operator.NOT_IN)
    match operator:
        case Operator.IS_NULL | Operator.IS_NOT_NULL:
            return operator is Operator.IS_NOT_NULL
        case Operator.EQUALS | Operator.IN:
            return any(equal(value, each) for each in given)
        case Operator.NOT_EQUALS | Operator.NOT_IN:
            return not any(equal(value, each) for each in given)
        case Operator.BWI:
            return bool(given[0] <= value <= given[1])
        case Operator.BWE:
            return bool(given[0] < value < given[1])
        case _:
            return COMPARED[operator](value, given[0])


def equal(value: Any, given: Any) -> bool:
    """Compare scalars for equality, lists for membership, JSON for containment."""
    if isinstance(given, Contained):
        return contains(value, given.part)
    return bool(given in value if isinstance(value, list) else value == given)


class Contained:
    def __init__(self, part: Any) -> None:
        self.part = part


def contains(whole: Any, part: Any) -> bool:
    """PostgreSQL's `@>` on JSON."""
    # Only the outermost list contains a bare scalar.
    if isinstance(whole, list) and not isinstance(part, list | dict):
        part = [part]
    return holds(whole, part)


def holds(whole: Any, part: Any) -> bool:
    if isinstance(whole, dict) and isinstance(part, dict):
        return all(key in whole and holds(whole[key], part[key]) for key in part)
    if isinstance(whole, list) and isinstance(part, list):
        return all(any(holds(each, wanted) for each in whole) for wanted in part)
    return isinstance(whole, bool) == isinstance(part, bool) and bool(whole == part)


def request_text(value: Any) -> str:
    """Format a value for a request."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        # Fewer digits would mean a longer interval.
        return value.isoformat(timespec="microseconds")
    return value.isoformat() if isinstance(value, date) else str(value)


@pytest.fixture
def rows(acme: Organization, globex: Organization, samples: None) -> dict[str, Sample]:
    """A sample for each value and one with null, for acme and for globex. Return acme's."""
    made = [
        Sample(id=f"{owner.slug} {name} {number}", organization=owner, **{name: value})
        for owner in (acme, globex)
        for name, values in VALUES.items()
        for number, value in enumerate([*values, None])
    ]
    Sample.objects.bulk_create(made)
    return {row.pk: row for row in made if row.organization == acme}


def expected(rows: dict[str, Sample], name: str, operator: Operator, given: list[Any]) -> set[str]:
    return {key for key, row in rows.items() if passes(getattr(row, name), operator, given)}


@pytest.mark.parametrize(
    ("name", "operator"),
    [(name, op) for name in VALUES for op in operators(SAMPLE.columns_by_name[name].kind)],
)
@pytest.mark.slow
def test_every_operator_selects_what_python_selects(
    name: str, operator: Operator, rows: dict[str, Sample], select: Select
) -> None:
    if operator in NULL_TESTS:
        found = select(SAMPLE, {name: str(operator)})
        assert found == expected(rows, name, operator, [])
        return
    for given_values, raw in requests(name, operator):
        found = select(SAMPLE, {name: raw})
        assert found == expected(rows, name, operator, given_values), raw


def requests(name: str, operator: Operator) -> list[tuple[list[Any], Any]]:
    """Return values, each with the operand of a request."""
    values = [*itertools.chain(*VALUES["list"])] if name == "list" else VALUES[name]
    if name == "json":
        # Only texts can follow an operator: other operands are JSON.
        if operator is Operator.EQUALS:
            return [([Contained(value)], value) for value in values]
        return [([Contained("x")], f"{operator}:x"), ([Contained("y")], f"{operator}:y")]
    if operator in (Operator.BWI, Operator.BWE):
        ordered = itertools.combinations_with_replacement(sorted(values), 2)
        return [([a, b], f"{operator}:{request_text(a)},{request_text(b)}") for a, b in ordered]
    if operator is Operator.IN:
        pairs = random.Random(name).choices(list(itertools.combinations(values, 2)), k=20)  # noqa: S311
        return [([a, b], [request_text(a), request_text(b)]) for a, b in pairs]
    if operator is Operator.NOT_IN:
        texts = {v: request_text(v) for v in values if v != "a,b"}
        values = [value for value, text in texts.items() if text.strip() == text != ""]
        return [
            ([a, b], f"not_in:{request_text(a)},{request_text(b)}")
            for a, b in itertools.pairwise(values)
        ]
    return [([value], f"{operator}:{request_text(value)}") for value in values]


@pytest.mark.parametrize(
    "kind", [ColumnType.TEXT, ColumnType.BOOLEAN, ColumnType.LIST, ColumnType.JSON]
)
def test_unordered_types_support_no_comparison(kind: ColumnType) -> None:
    assert operators(kind) == (*EQUALITY, *NULL_TESTS)


def test_json_null_counts_as_null(rows: dict[str, Sample], select: Select) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tests_sample SET json = 'null' WHERE id = 'acme json 0'")
    nulls = {key for key, row in rows.items() if row.json is None} | {"acme json 0"}
    assert select(SAMPLE, {"json": None}) == nulls
    assert select(SAMPLE, {"json": "is_not_null"}) == set(rows) - nulls


def test_conditions_are_joined_by_and(rows: dict[str, Sample], select: Select) -> None:
    options = {"integer": "gte:1", "text": None, "id": "not_in:acme integer 1"}
    found = {key for key, row in rows.items() if (row.integer or 0) >= 1} - {"acme integer 1"}
    assert select(SAMPLE, options) == found
    assert select(SAMPLE, {}) == set(rows)


@pytest.mark.parametrize(
    ("name", "given_text"),
    [
        ("uuid", "0d3f6c1e-7a3b-4f0e-9c55-0123456789ab"),
        ("address", "10.0.0.1"),
        ("address", "2001:db8::1"),
        ("duration", "01:30:00"),
    ],
)
def test_other_database_types_compare_as_text(
    name: str, given_text: str, acme: Organization, samples: None, select: Select
) -> None:
    Sample.objects.create(id="match", organization=acme, **{name: given_text})
    Sample.objects.create(id="other", organization=acme)
    assert select(SAMPLE, {name: f"equals:{given_text}"}) == {"match"}


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=texts, other=texts)
def test_any_text_equals_only_itself(
    value: str, other: str, acme: Organization, samples: None, select: Select
) -> None:
    Sample.objects.all().delete()
    Sample.objects.create(
        id="match", organization=acme, text=value, list=[value], json={value: value}
    )
    Sample.objects.create(id="null", organization=acme)
    same = {"match"} if value == other else set()
    assert select(SAMPLE, {"text": f"equals:{value}"}) == {"match"}
    assert select(SAMPLE, {"text": [other, other]}) == same
    assert select(SAMPLE, {"text": f"not_equals:{other}"}) == {"match", "null"} - same
    assert select(SAMPLE, {"list": [other]}) == same
    assert select(SAMPLE, {"json": {other: other}}) == same
    # A key with a dot, or with a quote at its start, must be quoted.
    if value and "." not in value and not value.startswith('"'):
        assert select(SAMPLE, {f"json.{value}": f"equals:{value}"}) == {"match"}
        assert select(SAMPLE, {f"json.{value}": "is_null"}) == {"null"}


numbers = st.decimals(-(10**15), 10**15, places=10, allow_nan=False)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=numbers, bounds=st.tuples(numbers, numbers).map(sorted))
def test_any_number_compares_as_in_python(
    value: Decimal, bounds: list[Decimal], acme: Organization, samples: None, select: Select
) -> None:
    Sample.objects.all().delete()
    json = {"deep": [{"number": int(value)}]}
    Sample.objects.create(id="match", organization=acme, decimal=value, json=json)
    low, high = bounds
    for operator in (Operator.BWI, Operator.BWE):
        raw = f"{operator}:{low},{high}"
        assert bool(select(SAMPLE, {"decimal": raw})) == passes(value, operator, bounds)
        inside = passes(int(value), operator, bounds)
        assert bool(select(SAMPLE, {"json.deep.0.number": raw})) == inside
    for compared, test in COMPARED.items():
        assert bool(select(SAMPLE, {"decimal": f"{compared}:{low}"})) == test(value, low)
