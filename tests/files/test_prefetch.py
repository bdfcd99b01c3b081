"""Items are worked on in threads, in order, with bounded read-ahead."""

from collections.abc import Iterator
from threading import Event, get_ident

import pytest

from longshore.files.prefetch import map_ahead


def test_results_come_in_the_order_of_the_items() -> None:
    assert list(map_ahead(lambda n: n * n, range(50), ahead=7, threads=4)) == [
        n * n for n in range(50)
    ]


def test_the_next_item_is_produced_while_the_function_runs() -> None:
    second_was_produced = Event()

    def items() -> Iterator[int]:
        yield 1
        second_was_produced.set()
        yield 2

    def wait(item: int) -> bool:
        return second_was_produced.wait(60)

    assert list(map_ahead(wait, items())) == [True, True]


@pytest.mark.parametrize("ahead", [0, 1, 3])
def test_no_more_items_are_produced_than_may_wait(ahead: int) -> None:
    items = iter(range(1, 11))
    results = map_ahead(lambda n: n, items, ahead=ahead)
    assert next(results) == 1
    assert next(items) == ahead + 2


def test_the_function_runs_in_another_thread() -> None:
    assert get_ident() not in list(map_ahead(lambda _: get_ident(), range(3)))


def test_an_error_of_the_function_is_raised_in_the_place_of_its_result() -> None:
    results = map_ahead(lambda n: 1 // n, [1, 0])
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
