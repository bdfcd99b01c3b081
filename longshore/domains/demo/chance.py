"""Pseudo-random values that are equal on every run."""

from collections.abc import Callable
from random import Random
from typing import TypeVar

from longshore.domains.demo import words

T = TypeVar("T")

_MASK = (1 << 64) - 1


def scatter(number: int) -> int:
    """Return 64 pseudo-random bits for a number."""
    bits = number * 0x9E3779B97F4A7C15 & _MASK
    bits = (bits ^ bits >> 31) * 0xBF58476D1CE4E5B9 & _MASK
    return bits ^ bits >> 29


def pool(seed: str, size: int, make: Callable[[Random, int], T]) -> list[T]:
    """Return a list of `size` values. make: called with the random generator and the index."""
    random = Random(seed)  # noqa: S311 (reproducible data, not a secret)
    return [make(random, index) for index in range(size)]


def address(random: Random) -> dict[str, str | None]:
    """Return a random address."""
    city, state, postal_code, country = random.choice(words.CITIES)
    return {
        "line1": f"{random.randint(1, 999)} {random.choice(words.STREETS)}",
        "line2": random.choice(words.SECOND_LINES),
        "city": city,
        "state": state,
        "postal_code": postal_code,
        "country": country,
    }
