"""The shapes of dates: texts in which each digit is a 9 and each name of a month is MMM or MMMM.

A column with many values has few shapes, so only shapes are parsed in Python.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from psycopg import sql


class Order(StrEnum):
    """The order of the parts of a date, as letters of LDML."""

    DAY_FIRST = "dMy"
    MONTH_FIRST = "Mdy"
    YEAR_FIRST = "yMd"


_ISO = re.compile(r"9999-99-99([T ]99(:99(:99(\.9+)?)?)?(?P<offset>Z|[+-]99(:?99)?)?)?")
_DATE = (
    r"(?P<first>9{1,4}|M{3,4})(?P<separator>[/. -])(?P<second>9{1,2}|M{3,4})"
    r"(?P<comma>,?)(?:(?P=separator)| )(?P<third>9{4}|9{1,2})"
)
_TIME = (
    r"(?P<join>T| |, )(?P<hour>9{1,2}):99(?P<seconds>:99)?(?P<fraction>\.9{1,6})?"
    r"(?P<period> ?[AP]M)?(?P<offset> ?(?:Z|[+-]99(?P<minutes>:?99)?))?"
)
_SHAPE = re.compile(f"{_DATE}(?:{_TIME})?")
# `\y` is the boundary of a word. The placeholders of months are not words.
_SHAPE_OF = sql.SQL(
    r"regexp_replace(regexp_replace(translate(upper({}), '0123456789', '9999999999'),"
    r" '\y[A-Z]{{4,}}\y', 'MMMM', 'g'), '\y[A-Z]{{3}}\y', 'MMM', 'g')"
)


def shape_sql(text: sql.Composable) -> sql.Composable:
    """Return SQL of the shape of a text."""
    return _SHAPE_OF.format(text)


@dataclass(frozen=True)
class Form:
    """What the values of a column must have in common to have one pattern.

    named: the letters of a month's name, or empty. year: the letters of the year.
    time: the pattern of the time, in which `{hour}` stands for the letters of the hour.
    """

    separator: str
    comma: str
    named: str
    year: str
    time: str
    hour: str

    def pattern(self, order: Order, *, is_narrow: bool) -> str:
        """Return the LDML pattern. is_narrow: whether some values omit leading zeros."""
        width = 1 if is_narrow else 2
        letters = {"d": "d" * width, "M": self.named or "M" * width, "y": self.year}
        first, second, third = (letters[part] for part in order)
        last = " " if self.comma else self.separator
        date = f"{first}{self.separator}{second}{self.comma}{last}{third}"
        return date + self.time.format(hour=self.hour * width)


@dataclass(frozen=True)
class Shape:
    """A parsed shape.

    form: None for ISO 8601.
    orders: the orders of the parts that the numbers of digits allow.
    is_narrow: whether its day, month or hour has a single digit.
    has_time, has_offset: whether it has a time, and an offset from UTC.
    """

    form: Form | None
    orders: tuple[Order, ...] = (Order.YEAR_FIRST,)
    is_narrow: bool = False
    has_time: bool = False
    has_offset: bool = False


def parse_shape(text: str) -> Shape | None:
    """Parse a shape. Returns None if it is not a date."""
    if iso := _ISO.fullmatch(text):
        return Shape(None, has_time=bool(iso[1]), has_offset=bool(iso["offset"]))
    found = _SHAPE.fullmatch(text)
    if found is None:
        return None
    first, second, third = found["first"], found["second"], found["third"]
    orders = _orders(first, second, third)
    if not orders:
        return None
    named = next((part for part in (first, second) if part.startswith("M")), "")
    year = first if orders == (Order.YEAR_FIRST,) else third
    form = Form(
        separator=found["separator"],
        comma=found["comma"],
        named=named,
        year="y" * len(year),
        time=_time(found) if found["hour"] else "",
        hour="h" if found["period"] else "H",
    )
    is_narrow = "9" in (first, second, third, found["hour"])
    return Shape(form, orders, is_narrow, bool(found["hour"]), bool(found["offset"]))


def _orders(first: str, second: str, third: str) -> tuple[Order, ...]:
    if first.startswith("M"):
        return (Order.MONTH_FIRST,) if second.startswith("9") and len(third) > 1 else ()
    if len(first) == 4:
        return (Order.YEAR_FIRST,) if len(third) < 3 else ()
    if len(first) == 3 or len(third) == 1:
        return ()
    if second.startswith("M"):
        return (Order.DAY_FIRST,)
    both = Order.DAY_FIRST, Order.MONTH_FIRST
    return (*both, Order.YEAR_FIRST) if len(first) == len(third) == 2 else both


def _time(found: re.Match[str]) -> str:
    join = "'T'" if found["join"] == "T" else found["join"]
    seconds = ":ss" if found["seconds"] else ""
    fraction = "." + "S" * (len(found["fraction"]) - 1) if found["fraction"] else ""
    period = " a" if (found["period"] or "").startswith(" ") else "a" if found["period"] else ""
    offset = ""
    if found["offset"]:
        blank = " " if found["offset"].startswith(" ") else ""
        # These letters accept Z, too.
        is_plain = found["minutes"] is not None and not found["minutes"].startswith(":")
        offset = blank + ("XX" if is_plain else "XXX")
    return f"{join}{{hour}}:mm{seconds}{fraction}{period}{offset}"
