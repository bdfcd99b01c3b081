"""The tables of docs/dialects.md are those that the tests of the dialects prove."""

import re

import pytest

from tests.dialects.conformance import DIALECTS, PAGE, Conformance, conformance, written
from webhooks.events import EventType


def test_the_tables_are_up_to_date() -> None:
    assert PAGE.read_text() == written(PAGE.read_text()), "run: make conformance"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_page_has_a_place_for_the_tables_of_each_dialect(dialect: str) -> None:
    assert PAGE.read_text().count(f"<!-- conformance of {dialect} -->\n") == 1


def test_the_page_lists_each_event_once() -> None:
    _, _, table = PAGE.read_text().partition("| Event | ")
    table, _, _ = table.partition("\n\n")
    # The first cell of each row.
    cells = [row.split("|")[1] for row in table.splitlines()[2:]]
    own = [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
    # Dialects send no challenge.
    assert sorted(own) == sorted({*EventType.values} - {EventType.WEBHOOK_CHALLENGE})


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_has_tables(dialect: str) -> None:
    rows = conformance(dialect)
    assert rows is not None
    assert len(list(rows)) >= 20


def test_a_table_has_the_rows_in_the_order_of_their_tests() -> None:
    rows = Conformance("Statuses", "Empty", "Fields")

    @rows.same("Fields", "`id`", "`type`")
    @rows.differs("Statuses", "`failed`", "It is `interrupted`.")
    def test_of_rows() -> None: ...

    assert [(row.item, row.test) for row in rows] == [
        ("`failed`", "test_of_rows"),
        ("`id`", "test_of_rows"),
        ("`type`", "test_of_rows"),
    ]
    head = "| Item | As documented | Difference |\n|---|---|---|"
    assert rows.tables() == (
        f"### Statuses\n\n{head}\n| `failed` | differs | It is `interrupted`. |\n\n"
        f"### Fields\n\n{head}\n| `id` | yes |  |\n| `type` | yes |  |\n"
    )


def test_a_table_does_not_depend_on_the_order_of_imports() -> None:
    rows = Conformance("Fields")

    def test_of_a_row() -> None: ...

    for module in ("tests.b", "tests.a"):
        test_of_a_row.__module__ = module
        rows.same("Fields", f"`{module}`")(test_of_a_row)
    assert [row.item for row in rows] == ["`tests.a`", "`tests.b`"]


def test_a_row_is_stated_once_and_by_a_test() -> None:
    rows = Conformance("Fields")

    def test_of_a_row() -> None: ...

    def helper() -> None: ...

    rows.same("Fields", "`id`")(test_of_a_row)
    with pytest.raises(ValueError, match="two rows for '`id`'"):
        rows.differs("Fields", "`id`", "Always.")(test_of_a_row)
    with pytest.raises(ValueError, match="helper is not a test"):
        rows.same("Fields", "`type`")(helper)
    with pytest.raises(KeyError):
        rows.same("Other", "`type`")(test_of_a_row)
