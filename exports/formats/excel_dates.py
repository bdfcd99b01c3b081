"""Translates datetime patterns (LDML) into Excel's number formats."""

from collections.abc import Iterator

from longshore.files.datetime_patterns import tokens

# Shown if the request sets no pattern. A datetime in Excel has no time zone.
DEFAULT_NUMBER_FORMAT = "yyyy-mm-dd hh:mm:ss"
DEFAULT_PATTERN = "yyyy-MM-dd HH:mm:ss"

_FORMATS = {
    "y": "yyyy", "yy": "yy", "yyyy": "yyyy",
    "M": "m", "MM": "mm", "MMM": "mmm", "MMMM": "mmmm", "MMMMM": "mmmmm",
    "L": "m", "LL": "mm", "LLL": "mmm", "LLLL": "mmmm", "LLLLL": "mmmmm",
    "d": "d", "dd": "dd", "E": "ddd", "EE": "ddd", "EEE": "ddd", "EEEE": "dddd",
    "a": "AM/PM", "aa": "AM/PM", "aaa": "AM/PM", "aaaa": "AM/PM",
    "h": "h", "hh": "hh", "H": "h", "HH": "hh", "m": "m", "mm": "mm", "s": "s", "ss": "ss",
    "SSS": "000",
}  # fmt: skip
# Names of months and days in English, whatever the language of Excel.
_ENGLISH = "[$-409]"


def number_format(pattern: str) -> str | None:
    """Return the number format of a pattern, or None if Excel cannot display the pattern."""
    parts = _joined(pattern)
    fields = [field for field, _ in parts if field]
    if not fields or any(field not in _FORMATS for field in fields):
        return None
    # Excel counts hours to 12 if the format has AM/PM, else to 24.
    is_twelve_hour = any(field.startswith("a") for field in fields)
    if any(field[0] == ("H" if is_twelve_hour else "h") for field in fields):
        return None
    if any(
        _is_minute(before, after) != (field[0] == "m") for before, field, after in _with_m(fields)
    ):
        return None
    excel_format = ""
    for field, text in parts:
        if field == "SSS" and not excel_format.endswith('ss"."'):
            return None
        if field == "SSS":
            excel_format = excel_format.removesuffix('"."') + "."
        excel_format += _FORMATS[field] if field else _literal(text)
    has_names = any(len(_FORMATS[field]) > 2 and field[0] in "MLEa" for field in fields)
    return _ENGLISH + excel_format if has_names else excel_format


def _joined(pattern: str) -> list[tuple[str, str]]:
    """Return pairs of field and text, one of them empty. Adjacent texts are joined."""
    parts: list[tuple[str, str]] = []
    for field, text in tokens(pattern):
        if parts and not field and not parts[-1][0]:
            text = parts.pop()[1] + text
        parts.append((field, text))
    return parts


def _with_m(fields: list[str]) -> Iterator[tuple[str, str, str]]:
    """Yield numeric months and minutes with the fields before and after: both are `m` in Excel."""
    around = ["", *fields, ""]
    for before, field, after in zip(around[:-2], fields, around[2:], strict=True):
        if field in ("M", "MM", "L", "LL", "m", "mm"):
            yield before, field, after


def _is_minute(before: str, after: str) -> bool:
    """Return whether Excel reads an `m` between these fields as minutes."""
    return before[:1] in ("h", "H") or after[:1] == "s"


def _literal(text: str) -> str:
    return "".join(f'"{piece}"' if piece else '\\"' for piece in _split_at_quotes(text))


def _split_at_quotes(text: str) -> Iterator[str]:
    """Yield the pieces of a text between its double quotes, and an empty text for each quote."""
    first, *others = text.split('"')
    if first:
        yield first
    for other in others:
        yield ""
        if other:
            yield other
