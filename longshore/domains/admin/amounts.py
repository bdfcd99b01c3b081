"""The form field of an amount of money: people type `1,234.50`, the record has minor units."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Field
from django.utils.text import capfirst
from unfold.widgets import UnfoldAdminTextInputWidget

from longshore.files.currencies import SYMBOLS, decimals_of, number_text

MAX_CHARACTERS = 40
# Digits in groups of three or without groups: a comma elsewhere may be meant as a decimal point.
_NUMBER = r"(?P<sign>-?)\s*{mark}\s*(?P<whole>\d{{1,3}}(?:,\d{{3}})+|\d+)(?:\.(?P<decimals>\d+))?"
_EXAMPLE = 123_450


class CurrencyField(forms.CharField):
    """The code of a currency, also in lower case."""

    def to_python(self, value: Any) -> str:
        """Return a code in upper case. Raises ValidationError."""
        code = (super().to_python(value) or "").upper()
        if code and not re.fullmatch("[A-Z]{3}", code):
            raise ValidationError(f"'{code}' is not a currency. Enter three letters, such as EUR.")
        return code


class AmountField(forms.Field):
    """An amount as decimal text. The form sets the currencies before it uses the field.

    stored_currency: of the initial value. currency: of the entered text.
    minimum, maximum: in minor units.
    """

    widget = UnfoldAdminTextInputWidget
    stored_currency = currency = ""

    def __init__(self, *, minimum: int, maximum: int, **options: Any) -> None:
        super().__init__(**options)
        self.minimum, self.maximum = minimum, maximum

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {"inputmode": "decimal", "autocomplete": "off", "maxlength": str(MAX_CHARACTERS)}

    def set_currencies(self, stored: str, entered: str) -> None:
        self.stored_currency, self.currency = stored, entered

    def prepare_value(self, value: Any) -> Any:
        return number_text(value, self.stored_currency) if isinstance(value, int) else value

    def to_python(self, value: Any) -> int | None:
        """Return minor units. Raises ValidationError."""
        if isinstance(value, int):
            return value
        text = " ".join((value or "").split())
        return self._minor_units(text) if text else None

    def _minor_units(self, text: str) -> int:
        currency, digits = self.currency, decimals_of(self.currency)
        marks = "|".join(re.escape(mark) for mark in (SYMBOLS.get(currency), currency) if mark)
        mark = f"(?:{marks})?"
        pattern = rf"{_NUMBER.format(mark=mark)}\s*{mark}"
        found = re.fullmatch(pattern, text, re.ASCII | re.IGNORECASE)
        if len(text) > MAX_CHARACTERS or not found:
            given, example = text[:MAX_CHARACTERS], number_text(_EXAMPLE, currency)
            raise ValidationError(
                f"'{given}' is not an amount in {currency}. Enter it like {example}."
            )
        decimals = found["decimals"] or ""
        if len(decimals) > digits:
            limit = f"more than {digits} decimals; {currency} has {digits}"
            if digits == 0:
                limit = f"decimals; {currency} has none"
            raise ValidationError(f"'{text}' has {limit}.")
        whole = found["whole"].replace(",", "")
        minor = int(found["sign"] + whole + decimals.ljust(digits, "0"))
        if not self.minimum <= minor <= self.maximum:
            ends = (number_text(end, currency) for end in (self.minimum, self.maximum))
            raise ValidationError(f"'{text}' is not between {' and '.join(ends)}.")
        return minor


def amount_field(db_field: "Field[Any, Any]") -> AmountField:
    """Return the form field of an integer model field with minor units."""
    minimum, maximum = connection.ops.integer_field_range(db_field.get_internal_type())
    return AmountField(
        minimum=minimum or 0,
        maximum=maximum or 0,
        required=not db_field.null,
        label=capfirst(str(db_field.verbose_name)),
        # The text of the API describes the stored number.
        help_text=str(db_field.help_text).replace(", in minor units", ""),
    )
