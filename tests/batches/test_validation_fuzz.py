"""No text makes validation fail as a whole: each row is either planned or has an error."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batches.spec import InputOptions
from batches.validation.conversion import CellForm
from longshore.accounts.models import Organization
from longshore.resources.registry import Resource, registry
from tests.batches.specimens import SPECIMEN, specimens
from tests.batches.staged import Attempt, stage
from tests.samples import SAMPLE

__all__ = ["specimens"]

NASTY = [
    *("", " ", "null", "NaN", "-Infinity", "infinity", "1e400", "1e-400", "9" * 400, "1e99999"),
    *("-0", "0x10", "1_000", "+", ".", "-.5e", "0000-00-00", "-0001-02-30", "99999-01-01", "now"),
    *("epoch", "today", "24:00:00", "2024-01-01T00:00:00+16:00", "294277-01-01", "-4714-01-01"),
    *("{", "[", "{}", "[]", "[[", '"', '""', '"a', 'a"', ",", ", ", '{"a": 1}', "[1, {}]"),
    *('["\\u0000"]', '"\\ud800"', "[null]", "[" * 3000, '{"a":' * 600, "[]" * 300, "\\", "'", "%s"),
    *(
        "{0}",
        "$1",
        "10.0.0.1/8",
        "::ffff:1.2.3.4",
        "P1Y",
        "1 mon",
        "====",
        "QQ=",
        "\ufeff",
        "\u202e",
    ),
    *("é", "😀" * 300, "x" * 5000, "true", "TRUE ", "yes", "0", "1", "1.0", "1,5", "01/02/2024"),
    *('{"id": "x"}', '{"id": null}', '{"id": {"a": 1}}', '[{"id": 1}]', '[["a"]]', '"x"', "[1]"),
]
TEXTS = st.one_of(
    st.none(),
    st.sampled_from(NASTY),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30),
    st.from_regex(r"-?[0-9]{1,12}([.,][0-9]{0,8})?([eE]-?[0-9]{1,4})?", fullmatch=True),
    st.from_regex(r"-?[0-9]{1,6}-[0-9]{2}-[0-9]{2}([T ][0-9:.+Z-]{0,25})?", fullmatch=True),
)


def _resource(name: str) -> Resource:
    found = registry.get(name)
    assert found is not None
    return found


RESOURCES = {
    "sample": (SAMPLE, ["id", *SAMPLE.writable_columns, "json.a", "json.a.b", "json.0", "list.0"]),
    "specimen": (SPECIMEN, ["id", *SPECIMEN.writable_columns]),
    "contact": (
        _resource("contact"),
        [
            *("id", "name", "location", "location.id", "groups", "groups.0.id", "groups.1.name"),
            *("alternate_names.0", "alternate_names.1", "metadata.a.0", "metadata.a.1", "metadata"),
        ],
    ),
    "price": (_resource("price"), ["id", *_resource("price").writable_columns, "sku", "sku.code"]),
}
OPTIONS = [
    InputOptions(),
    InputOptions(decimal_separator=",", timezone="America/Sao_Paulo", datetime_format="dd/MM/yyyy"),
    InputOptions(datetime_format="EEE d MMM yy G h:mm:ss.SSS aaaaa VV"),
]


def _assert_complete(attempt: Attempt, rows: int) -> None:
    planned = {row["row"] for row in attempt.plan()}
    failed = {error[0] for error in attempt.errors}
    assert planned | failed == set(range(1, rows + 1))
    assert not planned & failed
    assert {row["row"] for row in attempt.typed()} == planned
    assert all(message for *_, message in attempt.errors)


@pytest.mark.slow
@pytest.mark.parametrize("name", RESOURCES)
@pytest.mark.parametrize("form", CellForm)
@pytest.mark.parametrize("options", OPTIONS)
def test_nasty_cells(
    acme: Organization, specimens: None, samples: None, name: str, form: CellForm, options: Any
) -> None:
    resource, header = RESOURCES[name]
    rows = [[text] * len(header) for text in NASTY]
    rows += [
        [NASTY[(row + 7 * column) % len(NASTY)] for column in range(len(header))]
        for row in range(len(NASTY))
    ]
    _assert_complete(stage(acme, resource, header, rows, form=form, input=options), len(rows))


@pytest.mark.parametrize("name", RESOURCES)
@given(data=st.data())
@settings(max_examples=10, suppress_health_check=list(HealthCheck))
def test_any_cells(
    acme: Organization, specimens: None, samples: None, name: str, data: st.DataObject
) -> None:
    resource, header = RESOURCES[name]
    row = st.lists(TEXTS, min_size=len(header), max_size=len(header))
    rows = data.draw(st.lists(row, min_size=1, max_size=4))
    form, options = data.draw(st.sampled_from(CellForm)), data.draw(st.sampled_from(OPTIONS))
    attempt = stage(acme, resource, header, rows, form=form, input=options)
    _assert_complete(attempt, len(rows))
