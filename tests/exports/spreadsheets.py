"""An independent implementation of formula escaping, without regular expressions."""

import re
from unicodedata import category

SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001
BLANKS = " \u00a0\u200b\u3000\ufeff"
DIGITS = set("0123456789")
CURRENCIES = {chr(code) for code in range(0x10000) if category(chr(code)) == "Sc"}


def escaped(text: str) -> str:
    """Return a text as the file holds it: with an apostrophe if it would run as a formula."""
    runs = text.lstrip(BLANKS).startswith(SIGNS)
    first, *others = text.split(", ")
    harmless = (is_number(first) or is_phone(first)) and all(
        is_number(other) or is_phone(other) or is_unsigned(other) for other in others
    )
    return f"'{text}" if runs and not harmless else text


def is_unsigned(text: str) -> bool:
    return text[:1] in DIGITS and set(text) <= DIGITS | set(" ().-")


def is_number(text: str) -> bool:
    """Return whether a text is a signed number or amount, such as -1,234.50, -5%, -1e-7, -$59.41,
    -59,41 €, -CHF 20.00 or -1 234.
    """
    if text[:1] not in ("+", "-"):
        return False
    text = unspaced(text[1:])
    before, after = text[:1] in CURRENCIES, text[-1:] in CURRENCIES | {"%"}
    if before:
        text = text[1:].removeprefix(" ")
    elif is_code(text[:4], last=" "):
        text = text[4:]
    if after and len(text) > 1:
        text = text[:-1].removesuffix(" ")
    elif is_code(text[-4:][::-1], last=" "):
        text = text[:-4]
    number, _, exponent = text.replace("E", "e").partition("e")
    if "e" in text.lower() and not is_digits(exponent[exponent[:1] in ("+", "-") :]):
        return False
    first, *groups = number.split(" ")
    if not all(len(group) >= 3 and is_digits(group[:3]) for group in groups):
        return False
    rest = "".join([first, *groups])
    return first[:2].lstrip(".,")[:1] in DIGITS and set(rest) <= DIGITS | set(".,'\u2019")


def unspaced(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def is_code(text: str, last: str) -> bool:
    return len(text) == 4 and text[3] == last and all("A" <= letter <= "Z" for letter in text[:3])


def is_phone(text: str) -> bool:
    begins = text[:1] == "+" and (text[1:2] in DIGITS or text[1:2] == "(")
    return begins and len(text) >= 8 and set(text[1:]) <= DIGITS | set(" ().-")


def is_digits(text: str) -> bool:
    return bool(text) and set(text) <= DIGITS


def runs(cell: str, delimiter: str) -> bool:
    """Return whether a spreadsheet would run a cell as a harmful formula.

    A comma or semicolon outside parentheses is regarded as a syntax error, as the escape does. In
    Excel it may be the union of references.

    delimiter: of the file. Outside parentheses it is a syntax error in a formula.
    """
    text = cell.lstrip(BLANKS + '"')
    if text.startswith(("=", "\uff1d")):
        return True
    return text.startswith(("+", "-", "@", "\uff0b", "\uff0d", "\uff20")) and bool(
        set("(!") & set(re.split(f"[,;{delimiter}]", text)[0]) and not is_harmless(text)
    )


def is_harmless(text: str) -> bool:
    """Return whether a text begins with a number or phone number up to a separator."""
    first = re.split('[,;\\t|\\r\\n"]', text)[0].rstrip(BLANKS)
    return is_number(first) or is_phone(first)
