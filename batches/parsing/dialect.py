"""The dialect of a CSV file: how its records are separated into cells."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Dialect:
    """How records are separated into cells. quote: a character, or None if nothing is quoted."""

    delimiter: str
    quote: str | None = '"'

    def rows(self, lines: Iterable[str], *, strict: bool = False) -> Iterator[list[str]]:
        """Yield the records that are not empty. Raises csv.Error.

        lines: with their line ends.
        strict: refuse text after a closing quote, and a quote that is not closed.
        """
        options: dict[str, Any] = {"quotechar": self.quote}
        if self.quote is None:
            options = {"quoting": csv.QUOTE_NONE}
        return filter(None, csv.reader(lines, delimiter=self.delimiter, strict=strict, **options))
