"""Currencies (ISO 4217): decimals of amounts in minor units."""

from decimal import Decimal

# Currencies with 0 and with 3 decimals. All others have 2.
UNDIVIDED = (
    *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND"),
    *("VUV", "XAF", "XOF", "XPF"),
)
THOUSANDTHS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")


def amount_text(minor: int, currency: str) -> str:
    """Format an amount in minor units for people, such as `139.44 EUR`."""
    digits = 0 if currency in UNDIVIDED else 3 if currency in THOUSANDTHS else 2
    # Keep number and currency on one line.
    return f"{Decimal(minor).scaleb(-digits):,.{digits}f}\N{NO-BREAK SPACE}{currency}"
