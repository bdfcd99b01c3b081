"""Computed columns of amounts: decimal numbers and formatted texts of fields in cents."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from django.db.models import Model
from django.utils.text import capfirst

from longshore.database.labels import spelled
from longshore.files.currencies import (
    SYMBOLS,
    THREE_DECIMAL_CURRENCIES,
    ZERO_DECIMAL_CURRENCIES,
)
from longshore.resources.columns import Column, ColumnType, field_column

_CENTS = "_cents"
# A single test separates the usual currencies from the others: wide records have many amounts.
_THREE_DECIMALS = f"{{row}}.currency_code IN {THREE_DECIMAL_CURRENCIES}"
_UNUSUAL = f"{{row}}.currency_code IN {ZERO_DECIMAL_CURRENCIES + THREE_DECIMAL_CURRENCIES}"
_BY_CURRENCY = f"""CASE WHEN {_UNUSUAL} THEN CASE WHEN {_THREE_DECIMALS} THEN %s ELSE %s END
    ELSE %s END"""
# Precision and scale of a 64-bit number in any currency.
_DIGITS = (22, 3)
_FLOAT = _BY_CURRENCY % ("{row}.$ * 0.001", "{row}.$::numeric", "{row}.$ * 0.01")
# Patterns for integers with the decimal point as literal text: patterns for fractions are slower.
# ltrim instead of abs(): abs() of the smallest 64-bit number overflows.
_GROUPS = "FM9,999,999,999,999,999,990"
_PATTERN = _BY_CURRENCY % (f"'{_GROUPS}\".\"000'", f"'{_GROUPS}'", f"'{_GROUPS}\".\"00'")
_SYMBOLS = " ".join(f"WHEN '{currency}' THEN '{symbol}'" for currency, symbol in SYMBOLS.items())
_FORMATTED = f"""(CASE WHEN {{row}}.$ < 0 THEN '-' ELSE '' END
    || CASE {{row}}.currency_code {_SYMBOLS} ELSE {{row}}.currency_code || ' ' END
    || ltrim(to_char({{row}}.$, {_PATTERN}), '-'))"""


def amounts(model: type[Model], computed: Iterable[Column] = ()) -> Iterator[Column]:
    """Yield two columns for each field of cents: a decimal number and a formatted text.

    For `total_amount_cents`: `total_amount_float` in `currency_code`, and `formatted_total_amount`,
    such as -$1,234.50 or CHF 20.00.
    computed: computed columns of cents.
    Yields the columns of cents, too, with labels that differ from those of the amounts.
    """
    names = [each.name for each in model._meta.concrete_fields if each.name.endswith(_CENTS)]
    for column in (*(field_column(model, name) for name in names), *computed):
        yield from _amount_columns(column)


def _amount_columns(cents: Column) -> Iterator[Column]:
    name, nullable = cents.name.removesuffix(_CENTS), cents.nullable
    label = capfirst(spelled(name))
    yield replace(cents, label=f"{label} in cents")
    expression = f"({cents.expression})"
    amount = _FLOAT.replace("{row}.$", expression)
    yield Column(
        f"{name}_float",
        ColumnType.DECIMAL,
        amount,
        nullable=nullable,
        digits=_DIGITS,
        currency="currency_code",
        label=label,
    )
    text = _FORMATTED.replace("{row}.$", expression)
    yield Column(
        f"formatted_{name}",
        ColumnType.TEXT,
        text,
        nullable=nullable,
        alphabetical=False,
        label=f"{label} with currency",
    )
