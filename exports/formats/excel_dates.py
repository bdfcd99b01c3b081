"""From a datetime pattern to the number format by which Excel shows the same."""

from collections.abc import Iterator

from longshore.files.datetime_patterns import tokens

# Shown where no pattern is asked for; a date in Excel has milliseconds and no zone.
DEFAULT = "yyyy-mm-dd hh:mm:ss.000"
DEFAULT_PATTERN = "yyyy-MM-dd HH:mm:ss.SSS"

_FORMATS = {
    "y": "yyyy", "yy": "yy", "yyyy": "yyyy",
    "M": "m", "MM": "mm", "MMM": "mmm", "MMMM": "mmmm", "MMMMM": "mmmmm",
    "L": "m", "LL": "mm", "LLL": "mmm", "LLLL": "mmmm", "LLLLL": "mmmmm",
    "d": "d", "dd": "dd", "E": "ddd", "EE": "ddd", "EEE": "ddd", "EEEE": "dddd",
    "a": "AM/PM", "aa": "AM/PM", "aaa": "AM/PM", "aaaa": "AM/PM",
    "h": "h", "hh": "hh", "H": "h", "HH": "hh", "m": "m", "mm": "mm", "s": "s", "ss": "ss",
    "SSS": "000",
}  # fmt: skip
# Words in English, whatever the language of the one who looks.
_ENGLISH = "[$-409]"


def number_format(pattern: str) -> str | None:
    """The number format of a pattern; None where Excel has none that shows the same."""
    parts = _joined(pattern)
    fields = [field for field, _ in parts if field]
    if not fields or any(field not in _FORMATS for field in fields):
        return None
    # With AM or PM an hour is one of twelve, without it one of 24.
    twelve = any(field.startswith("a") for field in fields)
    if any(field[0] == ("H" if twelve else "h") for field in fields):
        return None
    if any(_is_minute(before, after) != (field[0] == "m") for before, field, after in _m(fields)):
        return None
    written = ""
    for field, text in parts:
        if field == "SSS" and not written.endswith('ss"."'):
            return None
        if field == "SSS":
            written = written.removesuffix('"."') + "."
        written += _FORMATS[field] if field else _literal(text)
    named = any(len(_FORMATS[field]) > 2 and field[0] in "MLEa" for field in fields)
    return _ENGLISH + written if named else written


def _joined(pattern: str) -> list[tuple[str, str]]:
    """Pairs of field and text, one of which is empty, and no two texts side by side."""
    parts: list[tuple[str, str]] = []
    for field, text in tokens(pattern):
        if parts and not field and not parts[-1][0]:
            text = parts.pop()[1] + text
        parts.append((field, text))
    return parts


def _m(fields: list[str]) -> Iterator[tuple[str, str, str]]:
    """Months and minutes in digits, each with its neighbours: Excel writes both with m."""
    around = ["", *fields, ""]
    for before, field, after in zip(around[:-2], fields, around[2:], strict=True):
        if field in ("M", "MM", "L", "LL", "m", "mm"):
            yield before, field, after


def _is_minute(before: str, after: str) -> bool:
    """How Excel tells them apart."""
    return before[:1] in ("h", "H") or after[:1] == "s"


def _literal(text: str) -> str:
    return "".join(f'"{part}"' if part else '\\"' for part in _parts(text))


def _parts(text: str) -> Iterator[str]:
    """A text in pieces without a quote, and an empty one for each quote."""
    first, *others = text.split('"')
    if first:
        yield first
    for other in others:
        yield ""
        if other:
            yield other
