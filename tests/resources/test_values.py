"""Values of filters: conversion to canonical texts."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.database.texts import storable
from longshore.resources.columns import ColumnType
from longshore.resources.values import ACCEPTED, canonical, json_or_text


@pytest.mark.parametrize(
    ("kind", "raw", "text"),
    [
        (ColumnType.INTEGER, "7", "7"),
        (ColumnType.INTEGER, -7, "-7"),
        (ColumnType.DECIMAL, "1.50", "1.50"),
        (ColumnType.DECIMAL, Decimal("0.1"), "0.1"),
        (ColumnType.FLOAT, 1e300, "1E+300"),
        (ColumnType.BOOLEAN, True, "true"),
        (ColumnType.BOOLEAN, "FALSE", "false"),
        (ColumnType.DATE, "2024-02-29", "2024-02-29"),
        (ColumnType.TEXT, 5, "5"),
        (ColumnType.LIST, "a", "a"),
        (ColumnType.JSON, {"ä": [None, 1.5, True]}, '{"\\u00e4": [null, 1.5, true]}'),
        (ColumnType.JSON, r"\u0000", r'"\\u0000"'),
    ],
)
def test_canonical_text_of_valid_values(kind: ColumnType, raw: object, text: str) -> None:
    assert canonical(kind, raw) == text


INVALID: dict[ColumnType, list[Any]] = {
    ColumnType.TEXT: [None, True, [], {}, "\0", "a\ud800"],
    ColumnType.LIST: [None, False, ["a"], "\0"],
    ColumnType.INTEGER: [None, True, "", "x", "0x10", "NaN", "1e308", "-Infinity", "1" * 201, [1]],
    ColumnType.DECIMAL: ["1e-308", float("inf"), float("nan"), {}],
    ColumnType.FLOAT: ["1e999999999999999999", "1e400", "1_000", "\uff11", " 5 ", "Infinity", "1e"],
    ColumnType.BOOLEAN: [None, 1, 0, "yes", "t", "", []],
    ColumnType.DATE: [
        "2024-02-30",
        "25.12.2024",
        "2024-12-25T00:00:00",
        "",
        "20241225",
        "2024-W52-3",
        20241225.5,
        True,
    ],
    ColumnType.DATETIME: [
        *(
            "",
            "x",
            "2024-12",
            "20241225",
            20241225,
            "2024-13-01",
            "2024-02-30",
            "2024-12-25T25:00",
            "2024-12-25T14",
            "now",
        ),
        *(
            "2024-12-25T14:30:00 EST",
            "\uff11" * 10,
            "1.5",
            1.5,
            True,
        ),
        *(10**17, 10**16, "9" * 17, None, [], "Infinity", "inf", "2024-12-25T14:30+99:00"),
    ],
    ColumnType.JSON: [float("nan"), float("inf"), "\0", {"a": ["\ud800"]}, {"\0": 1}],
}


@pytest.mark.parametrize(("kind", "raw"), [(k, raw) for k, raws in INVALID.items() for raw in raws])
def test_invalid_value_is_rejected(kind: ColumnType, raw: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        canonical(kind, raw)


def test_every_type_describes_its_accepted_values() -> None:
    assert set(ACCEPTED) == set(ColumnType)


@given(st.text())
def test_text_is_storable_without_nul_and_unpaired_surrogates(text: str) -> None:
    assert storable(text) is ("\0" not in text)
    assert not storable(text + "\ud800")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1]}', {"a": [1]}),
        ("null", None),
        ("x", "x"),
        ("Infinity", "Infinity"),
        ("[1, NaN]", "[1, NaN]"),
        ("1e999", "1e999"),
        ("[" * 5000, "[" * 5000),
    ],
)
def test_text_that_is_not_json_stays_a_text(text: str, value: object) -> None:
    assert json_or_text(text) == value
