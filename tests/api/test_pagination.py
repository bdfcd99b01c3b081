"""Cursors and limits of every list."""

import pytest

from longshore.accounts.sealing import seal
from longshore.api.errors import ErrorCode, InvalidInput
from longshore.api.pagination import page_size, seal_cursor, unseal_cursor

POSITION = [0, False, "2024-12-25T14:30:00Z", None, "Łódź"]


def test_a_cursor_holds_its_position() -> None:
    assert unseal_cursor("events", seal_cursor("events", POSITION)) == POSITION


def test_a_cursor_of_long_texts_is_compressed() -> None:
    assert len(seal_cursor("events", ["a" * 5_000])) < 500


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "nonsense",
        seal_cursor("exports", POSITION),
        seal_cursor("events", POSITION)[:-8],
        seal("[0,false,null]"),
    ],
    ids=["empty", "nonsense", "another list", "truncated", "another salt"],
)
def test_any_other_cursor_is_refused_with_the_same_error(cursor: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        unseal_cursor("events", cursor)
    [problem] = raised.value.problems
    assert (problem.code, problem.field) == (ErrorCode.INVALID_CURSOR, "cursor")
    assert problem.message == (
        "The cursor does not belong to this list with these filters and this order."
    )


@pytest.mark.parametrize(("text", "size"), [(None, 25), ("1", 1), ("100", 100), ("007", 7)])
def test_a_limit_is_1_to_100(text: str | None, size: int) -> None:
    assert page_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "101", "-1", "1.5", "all", "٣", "1" * 5_000])
def test_any_other_limit_is_an_error(text: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        page_size(text)
    [problem] = raised.value.problems
    assert (problem.code, problem.field) == (ErrorCode.INVALID_LIMIT, "limit")
    assert problem.accepted == "a whole number from 1 to 100"
