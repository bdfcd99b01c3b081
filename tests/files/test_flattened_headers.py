"""A header of a flattened column splits back into its path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.files.flattened_headers import join_path, split_header

KEYS = st.text(st.sampled_from("ab.\\ \n")) | st.text()


@pytest.mark.parametrize(
    ("path", "header"),
    [
        (("address", "city"), "address.city"),
        (("items", "0", "sku"), "items.0.sku"),
        (("data", "a.b"), "data.a\\.b"),
        (("data", "a\\", "b"), "data.a\\\\.b"),
        (("", ""), "."),
        (("",), ""),
    ],
)
def test_dots_and_backslashes_of_keys_are_escaped(path: tuple[str, ...], header: str) -> None:
    assert join_path(path) == header
    assert split_header(header) == path


@given(st.lists(KEYS, min_size=1).map(tuple))
def test_every_path_is_the_path_of_its_header(path: tuple[str, ...]) -> None:
    assert split_header(join_path(path)) == path


def test_a_backslash_that_escapes_nothing_is_kept() -> None:
    assert split_header("a\\b.c\\") == ("a\\b", "c\\")
