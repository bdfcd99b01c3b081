"""Currencies (ISO 4217): number of decimals of an amount in the smallest unit."""

from decimal import Decimal

# Currencies that are not divided, and those of a thousand parts. All others have a hundred.
UNDIVIDED = (
    *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND"),
    *("VUV", "XAF", "XOF", "XPF"),
)
THOUSANDTHS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")


def amount_text(minor: int, currency: str) -> str:
    """An amount in the smallest unit of a currency as people write it: `139.44 EUR`."""
    digits = 0 if currency in UNDIVIDED else 3 if currency in THOUSANDTHS else 2
    # Without a line break between the two.
    return f"{Decimal(minor).scaleb(-digits):,.{digits}f}\N{NO-BREAK SPACE}{currency}"
