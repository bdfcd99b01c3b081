"""What a spreadsheet shows, said in other words than the SQL says it."""

SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001
BLANKS = " \u00a0\u200b\u3000\ufeff"
DIGITS = set("0123456789")


def escaped(text: str) -> str:
    """A text as a file for spreadsheets holds it: with an apostrophe where it would run."""
    runs = text.lstrip(BLANKS).startswith(SIGNS)
    first, *others = text.split(", ")
    harmless = (is_number(first) or is_phone(first)) and all(
        is_number(other) or is_phone(other) or is_unsigned(other) for other in others
    )
    return f"'{text}" if runs and not harmless else text


def is_unsigned(text: str) -> bool:
    return text[:1] in DIGITS and set(text) <= DIGITS | set(" ().-")


def is_number(text: str) -> bool:
    number, _, exponent = text.removesuffix("%").replace("E", "e").partition("e")
    if "e" in text.lower() and not is_digits(exponent.removeprefix("+").removeprefix("-")):
        return False
    if exponent.startswith("+-") or number[:1] not in ("+", "-"):
        return False
    return number[1:3].lstrip(".,")[:1] in DIGITS and set(number[1:]) <= DIGITS | {".", ","}


def is_phone(text: str) -> bool:
    begins = text[:1] == "+" and (text[1:2] in DIGITS or text[1:2] == "(")
    return begins and len(text) >= 8 and set(text[1:]) <= DIGITS | set(" ().-")


def is_digits(text: str) -> bool:
    return bool(text) and set(text) <= DIGITS
