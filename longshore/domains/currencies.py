"""Currencies (ISO 4217): symbols, and decimals of amounts in minor units."""

from decimal import Decimal

# Currencies with 0 and with 3 decimals. All others are shown with 2; CLF and UYW have 4.
ZERO_DECIMAL_CURRENCIES = (
    *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND"),
    *("VUV", "XAF", "XOF", "XPF"),
)
THREE_DECIMAL_CURRENCIES = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
# All others are shown by their code.
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


def decimals_of(currency: str) -> int:
    """Return the number of decimals of a currency."""
    if currency in ZERO_DECIMAL_CURRENCIES:
        return 0
    return 3 if currency in THREE_DECIMAL_CURRENCIES else 2


def number_text(minor: int, currency: str) -> str:
    """Format an amount in minor units without its currency, such as `1,234.50`."""
    digits = decimals_of(currency)
    return f"{Decimal(minor).scaleb(-digits):,.{digits}f}"


def amount_text(minor: int, currency: str) -> str:
    """Format an amount in minor units as the columns `formatted_…` do: `-€1,234.50`."""
    return with_currency(number_text(minor, currency), currency)


def with_currency(number: str, currency: str) -> str:
    """Return the text of a number with the symbol or the code of a currency."""
    sign = "-" if number.startswith("-") else ""
    # Keep number and currency on one line.
    mark = SYMBOLS.get(currency) or f"{currency}\N{NO-BREAK SPACE}"
    return f"{sign}{mark}{number.removeprefix('-')}"
