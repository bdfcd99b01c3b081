"""Amounts as people and other systems write them, beside the cents that they are kept in."""

from collections.abc import Iterator

from django.db.models import Model

from resources.columns import Column, Kind

# ISO 4217: currencies that are not divided, and those of a thousand parts.
_WHOLE = """{row}.currency_code IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG',
    'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF')"""
_MILLS = "{row}.currency_code IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND')"
# Of a number of 64 bits in any of them.
_DIGITS = (22, 3)
_FLOAT = f"""CASE WHEN {_WHOLE} THEN {{row}}.$::numeric
    WHEN {_MILLS} THEN {{row}}.$ * 0.001 ELSE {{row}}.$ * 0.01 END"""
_GROUPS = "FM9,999,999,999,999,999,990"
_FORMATTED = f"""(CASE WHEN {{row}}.$ < 0 THEN '-' ELSE '' END
    || CASE {{row}}.currency_code WHEN 'USD' THEN '$' WHEN 'EUR' THEN '€' WHEN 'GBP' THEN '£'
        WHEN 'JPY' THEN '¥' ELSE {{row}}.currency_code || ' ' END
    || CASE WHEN {_WHOLE} THEN to_char(abs({{row}}.$::numeric), '{_GROUPS}')
        WHEN {_MILLS} THEN to_char(abs({{row}}.$::numeric) * 0.001, '{_GROUPS}.000')
        ELSE to_char(abs({{row}}.$::numeric) * 0.01, '{_GROUPS}.00') END)"""


def amounts(model: type[Model]) -> Iterator[Column]:
    """For each field `total_amount_cents` the columns `total_amount_float`, a decimal number of
    `currency_code`, and `formatted_total_amount`, such as -$1,234.50 or CHF 20.00."""
    for field in model._meta.concrete_fields:
        name = field.name.removesuffix("_cents")
        if name != field.name:
            amount = _FLOAT.replace("$", field.name)
            yield Column(f"{name}_float", Kind.DECIMAL, amount, nullable=field.null, digits=_DIGITS)
            text = _FORMATTED.replace("{row}.$", f"{{row}}.{field.name}")
            yield Column(f"formatted_{name}", Kind.TEXT, text, nullable=field.null)
