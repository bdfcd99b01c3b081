"""Amounts as people and other systems write them, beside the cents that they are kept in."""

from collections.abc import Iterable, Iterator

from django.db.models import Model

from longshore.resources.columns import Column, ColumnType
from longshore.resources.currencies import THOUSANDTHS, UNDIVIDED

_CENTS = "_cents"
# One test tells unusual currencies from all others, for a wide record has many amounts.
_MILLS = f"{{row}}.currency_code IN {THOUSANDTHS}"
_UNUSUAL = f"{{row}}.currency_code IN {UNDIVIDED + THOUSANDTHS}"
_OF_CURRENCY = f"""CASE WHEN {_UNUSUAL} THEN CASE WHEN {_MILLS} THEN %s ELSE %s END
    ELSE %s END"""
# Of a number of 64 bits in any of them.
_DIGITS = (22, 3)
_FLOAT = _OF_CURRENCY % ("{row}.$ * 0.001", "{row}.$::numeric", "{row}.$ * 0.01")
# Patterns of whole numbers, whose point is a text: those of fractions take longer. The least
# number of 64 bits has no abs().
_GROUPS = "FM9,999,999,999,999,999,990"
_PATTERN = _OF_CURRENCY % (f"'{_GROUPS}\".\"000'", f"'{_GROUPS}'", f"'{_GROUPS}\".\"00'")
_FORMATTED = f"""(CASE WHEN {{row}}.$ < 0 THEN '-' ELSE '' END
    || CASE {{row}}.currency_code WHEN 'USD' THEN '$' WHEN 'EUR' THEN '€' WHEN 'GBP' THEN '£'
        WHEN 'JPY' THEN '¥' ELSE {{row}}.currency_code || ' ' END
    || ltrim(to_char({{row}}.$, {_PATTERN}), '-'))"""


def amounts(model: type[Model], computed: Iterable[Column] = ()) -> Iterator[Column]:
    """For each field `total_amount_cents` the columns `total_amount_float`, a decimal number of
    `currency_code`, and `formatted_total_amount`, such as -$1,234.50 or CHF 20.00.

    computed: columns of cents that are no fields, called and shown in the same way.
    """
    for field in model._meta.concrete_fields:
        if field.name.endswith(_CENTS):
            yield from _shown(field.name, f"{{row}}.{field.name}", nullable=field.null)
    for column in computed:
        yield column
        yield from _shown(column.name, f"({column.expression})", nullable=column.nullable)


def _shown(cents: str, expression: str, *, nullable: bool) -> Iterator[Column]:
    name = cents.removesuffix(_CENTS)
    amount = _FLOAT.replace("{row}.$", expression)
    yield Column(f"{name}_float", ColumnType.DECIMAL, amount, nullable=nullable, digits=_DIGITS)
    text = _FORMATTED.replace("{row}.$", expression)
    yield Column(f"formatted_{name}", ColumnType.TEXT, text, nullable=nullable, alphabetical=False)
