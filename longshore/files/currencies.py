"""Currencies (ISO 4217): symbols, and decimals of amounts in minor units."""

from decimal import Decimal

# Currencies with 0 and with 3 decimals. All others are shown with 2; CLF and UYW have 4.
ZERO_DECIMAL_CURRENCIES = (
    *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND"),
    *("VUV", "XAF", "XOF", "XPF"),
)
THREE_DECIMAL_CURRENCIES = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
# The currencies in use.
CURRENCIES = (
    *("AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BHD"),
    *("BIF", "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF"),
    *("CLF", "CLP", "CNY", "COP", "CRC", "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP"),
    *("ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GNF", "GTQ", "GYD"),
    *("HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IQD", "IRR", "ISK", "JMD", "JOD", "JPY"),
    *("KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD"),
    *("LSL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK"),
    *("MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK"),
    *("PHP", "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "SAR", "SBD", "SCR", "SDG"),
    *("SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL", "THB", "TJS"),
    *("TMT", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYI", "UYU", "UYW"),
    *("UZS", "VED", "VES", "VND", "VUV", "WST", "XAF", "XCD", "XOF", "XPF", "YER", "ZAR", "ZMW"),
    "ZWG",
)
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
