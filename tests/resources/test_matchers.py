"""Every matcher on every column type selects in SQL what it selects in Python, for any rows."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from longshore.accounts.models import Organization
from longshore.resources.columns import ColumnType
from longshore.resources.matchers import MATCHERS, Takes, matchers
from tests.resources.conftest import Select
from tests.resources.test_alphabetical import alphabetical
from tests.resources.test_conditions import contains
from tests.samples import SAMPLE, Sample

WORDS = st.text("aAbäÄ%_\\ 1📦", max_size=4)
DAYS = st.dates(date(2024, 2, 28), date(2024, 3, 2))
MOMENTS = st.builds(
    lambda day, shift: datetime.combine(day, time(), UTC) + timedelta(microseconds=shift),
    DAYS,
    st.sampled_from([-1, 0, 1, 3_600_000_000]),
)
DOCUMENTS = st.recursive(
    st.sampled_from(["", "a", 1, 1.5, True, None]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=4,
)
STORED: dict[str, st.SearchStrategy[Any]] = {
    "text": WORDS,
    "integer": st.integers(-3, 3) | st.sampled_from([2**63 - 1, -(2**63)]),
    "decimal": st.decimals(-2, 2, places=1),
    "float": st.sampled_from([0.0, 0.1, 1 / 3, -2.5, 1e300]),
    "boolean": st.booleans(),
    "date": DAYS,
    "datetime": MOMENTS,
    "list": st.lists(st.sampled_from(["a", "b", "", "a,b"]), max_size=3),
    "json": DOCUMENTS,
}
ASKED = STORED | {
    "integer": st.integers(-3, 3) | st.sampled_from([0.5, 2**63]),
    "datetime": MOMENTS | DAYS,
    "list": st.sampled_from(["a", "b", "", "a,b"]),
    "json": DOCUMENTS.filter(lambda document: document is not None),
}
ALL = [
    (matcher, name) for name in STORED for matcher in matchers(SAMPLE.columns_by_name[name].kind)
]


def passes(matcher: str, value: Any, asked: Any) -> bool:
    """Return whether a value passes a matcher, evaluated in Python from the matcher's name."""
    if matcher.endswith("_or_null"):
        return value is None or passes(matcher.removesuffix("_or_null"), value, asked)
    if matcher in FLAGS:
        return FLAGS[matcher](value, asked)
    if value is None:
        return False
    word, _, quantifier = matcher.rpartition("_")
    if quantifier not in ("any", "all"):
        negated = matcher.startswith(("not_", "does_not_"))
        word, quantifier = matcher, "all" if negated else "any"
    every = {"any": any, "all": all}[quantifier]
    if word.startswith("does_not_"):
        return bool(every(not like(value, each) for each in asked))
    if word.startswith("not_"):
        test = TESTS[word.removeprefix("not_")]
        return bool(every(not test(value, each) for each in asked))
    return bool(every(TESTS[word](value, each) for each in asked))


def first(asked: Any) -> Any:
    """Return the first instant of a value: a day is an interval."""
    day = isinstance(asked, date) and not isinstance(asked, datetime)
    return datetime.combine(asked, time(), UTC) if day else asked


def last(asked: Any) -> Any:
    day = isinstance(asked, date) and not isinstance(asked, datetime)
    return first(asked) + timedelta(days=1, microseconds=-1) if day else asked


def equal(value: Any, asked: Any) -> bool:
    if isinstance(value, list):
        return asked in value
    if isinstance(value, datetime):
        return bool(first(asked) <= value <= last(asked))
    return bool(value == asked)


def compared(test: Callable[[Any, Any], bool], end: Callable[[Any], Any]) -> Any:
    def passed(value: Any, asked: Any) -> bool:
        if isinstance(value, str):
            return test(alphabetical(value), alphabetical(asked))
        return test(value, end(asked) if isinstance(value, datetime) else asked)

    return passed


def like(value: str, pattern: str) -> bool:
    signs = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    expression = "".join(wild.get(sign) or re.escape(sign[-1]) for sign in signs)
    return bool(re.fullmatch(expression.lower(), value.lower(), re.DOTALL))


TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": equal,
    "in": equal,
    "lt": compared(lambda value, bound: value < bound, first),
    "lteq": compared(lambda value, bound: value <= bound, last),
    "gt": compared(lambda value, bound: value > bound, last),
    "gteq": compared(lambda value, bound: value >= bound, first),
    "matches": like,
    "start": lambda value, part: value.lower().startswith(part.lower()),
    "end": lambda value, part: value.lower().endswith(part.lower()),
    "cont": lambda value, part: part.lower() in value.lower(),
    "jcont": contains,
}
FLAGS: dict[str, Callable[[Any, bool], bool]] = {
    "present": lambda value, yes: (value is not None and value not in ("", [], {})) is yes,
    "blank": lambda value, yes: (value is None or value in ("", [], {})) is yes,
    "null": lambda value, yes: (value is None) is yes,
    "not_null": lambda value, yes: (value is not None) is yes,
    "true": lambda value, yes: value is yes,
    "false": lambda value, yes: value is (not yes),
}


def request_value(value: Any) -> Any:
    """Return a value as the JSON of a request."""
    if isinstance(value, datetime):
        # Fewer digits would mean a longer interval.
        return value.isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, int | float | str | list | dict) else str(value)


@pytest.mark.parametrize(("matcher", "name"), ALL)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_matcher_selects_what_python_selects(
    matcher: str, name: str, data: st.DataObject, acme: Organization, samples: None, match: Select
) -> None:
    stored = [*data.draw(st.lists(STORED[name], min_size=1, max_size=8), "stored"), None]
    asked: Any
    raw: Any
    if MATCHERS[matcher].takes is Takes.FLAG:
        asked = raw = data.draw(st.booleans(), "asked")
    else:
        # Ask for stored values more often than chance does.
        source = ASKED[name]
        if name not in ("list", "json"):
            source |= st.sampled_from(stored[:-1])
        if "match" in matcher:
            source = source.filter(lambda text: not re.search(r"(?<!\\)(\\\\)*\\$", text))
        max_size = 3 if MATCHERS[matcher].takes is Takes.VALUES else 1
        asked = data.draw(st.lists(source, min_size=1, max_size=max_size), "asked")
        raw = [request_value(each) for each in asked]
        raw = raw if max_size > 1 else raw[0]
    if matcher == "jcont" and isinstance(raw, str):
        raw = f'"{raw}"'
    Sample.objects.all().delete()
    Sample.objects.bulk_create(
        Sample(id=str(number), organization=acme, **{name: value})
        for number, value in enumerate(stored)
    )
    expected = {str(n) for n, value in enumerate(stored) if passes(matcher, value, asked)}
    assert match(SAMPLE, {f"{name}_{matcher}": raw}) == expected


def test_every_matcher_supports_a_column_type() -> None:
    assert len(MATCHERS) == 51
    assert {matcher for matcher, _ in ALL} == set(MATCHERS)
    assert {
        name: matchers(kind)
        for name, kind in [("json", ColumnType.JSON), ("list", ColumnType.LIST)]
    } == {
        "json": ["present", "blank", "null", "not_null", "jcont"],
        "list": [
            *("eq", "eq_or_null", "not_eq", "not_eq_or_null", "not_eq_all"),
            *("in", "in_or_null", "not_in", "not_in_or_null"),
            *("present", "blank", "null", "not_null"),
        ],
    }
