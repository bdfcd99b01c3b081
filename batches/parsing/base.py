"""The interface of an input: what was detected, its headers, and the way to the staging table."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import psycopg
from psycopg.errors import QueryCanceled

from batches.parsing.errors import InputError
from batches.spec import InputFormat
from batches.staging import MAX_COLUMNS, Staging
from batches.targets import Target
from longshore.api.errors import display_value
from longshore.files.compression import Compression


@dataclass(frozen=True)
class Detected:
    """How an input is read.

    encoding, delimiter, quote: None for formats without one. quote: one of `batches.spec.QUOTES`.
    bom: whether the text begins with a byte order mark.
    sheet: the name of the first sheet of a workbook.
    is_certain: False if the encoding or the delimiter is the most probable one of several.
    """

    format: InputFormat
    compression: Compression = Compression.NONE
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    bom: bool = False
    sheet: str | None = None
    is_certain: bool = True

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Parsed:
    """The result of `Input.stage`.

    rows: records that were read.
    malformed: how many of them are in the table `malformed` instead of `input`; a record may have
        several rows there.
    late_headers: keys of JSON records that `headers` had not returned before. Their values are not
        in `input`: to read them, call `stage` again with targets for all of `headers`, which
        includes them now.
    """

    rows: int
    malformed: int
    late_headers: Sequence[str] = ()


class Input(ABC):
    """An input whose format is known. Only one thread may use it, except for `cancel`.

    detected: how it is read.
    warnings: sentences about parts of the input that are not read, and about uncertain detections.
    rows_read: records that `stage` has read so far.
    """

    def __init__(self, detected: Detected) -> None:
        self.detected = detected
        self.warnings: list[str] = []
        self.rows_read = 0
        self._headers: list[str] = []
        self._is_canceled = False

    def headers(self) -> list[str]:
        """Return the headers in the order of the file.

        For JSON: the keys of its first megabyte; after `stage`, also those that it found later.
        """
        return list(self._headers)

    @abstractmethod
    def stage(
        self,
        cursor: psycopg.Cursor,
        staging: Staging,
        assigned: Sequence[Target | None],
        *,
        limit: int | None = None,
    ) -> Parsed:
        """Create and fill the staging tables `input` and `malformed`.

        assigned: for each header its target, or None to ignore it. Ignored values are staged too.
        limit: read only the first records. Problems after them are not noticed.
        Raises InputError, and QueryCanceled after `cancel`. May be called again, which replaces the
        tables.
        """

    def has_json(self, position: int) -> bool:
        """Return whether the values of a column are staged as JSON if its target takes JSON."""
        return False

    def is_typed(self, position: int) -> bool:
        """Return whether the values of a column have a type of their own, so that the pattern of
        datetimes and the decimal separator, which describe texts, do not apply."""
        return False

    def cancel(self) -> None:
        """Make `stage` raise QueryCanceled soon. May be called by another thread."""
        self._is_canceled = True

    def check(self) -> None:
        """Raise QueryCanceled if `cancel` was called."""
        if self._is_canceled:
            raise QueryCanceled("reading the input was canceled")


def checked_headers(headers: Sequence[str]) -> list[str]:
    """Return the headers of a table.

    Raises InputError if there are too many, or if one is empty, occurs twice, or cannot be stored.
    """
    if len(headers) > MAX_COLUMNS:
        raise InputError(f"The file has {len(headers):,} columns; the maximum is {MAX_COLUMNS:,}.")
    positions: dict[str, int] = {}
    for number, header in enumerate(headers, 1):
        if not header.strip():
            raise InputError(f"The header of column {number} is empty.")
        if "\0" in header:
            raise InputError(
                f"The header of column {number} contains a NUL character, which no text may "
                "contain."
            )
        if header in positions:
            raise InputError(
                f"The columns {positions[header]} and {number} have the same header "
                f"{display_value(header)}."
            )
        positions[header] = number
    return list(headers)
