"""What looks drawn at random, and is the same on every run."""

from collections.abc import Callable
from random import Random
from typing import TypeVar

from longshore.domains.demo import words

T = TypeVar("T")

_MASK = (1 << 64) - 1


def scatter(number: int) -> int:
    """64 bits that look drawn at random, the same for the same number."""
    bits = number * 0x9E3779B97F4A7C15 & _MASK
    bits = (bits ^ bits >> 31) * 0xBF58476D1CE4E5B9 & _MASK
    return bits ^ bits >> 29


def pool(seed: str, size: int, make: Callable[[Random, int], T]) -> list[T]:
    """A list of `size` things, each made of the generator and its place in the list."""
    random = Random(seed)  # noqa: S311 (the same data on every run; nothing here is secret)
    return [make(random, place) for place in range(size)]


def address(random: Random) -> dict[str, str | None]:
    city, state, postal_code, country = random.choice(words.CITIES)
    return {
        "line1": f"{random.randint(1, 999)} {random.choice(words.STREETS)}",
        "line2": random.choice(words.SECOND_LINES),
        "city": city,
        "state": state,
        "postal_code": postal_code,
        "country": country,
    }
