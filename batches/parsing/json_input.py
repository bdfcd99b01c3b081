"""JSON Lines, and arrays of JSON objects.

The records are copied into a table as they stand. PostgreSQL validates them and extracts their
values.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

import psycopg
from psycopg import sql

from batches.parsing.base import Detected, Input, Parsed
from batches.parsing.dialect import Dialect
from batches.parsing.errors import InputError, empty_input
from batches.parsing.json_arrays import ArrayLines
from batches.parsing.json_extraction import extract
from batches.parsing.loading import (
    Blocks,
    Malformed,
    MalformedRows,
    create_tables,
    csv_rows,
    load,
    refuse_nul,
)
from batches.parsing.records import Ragged, RecordReader, with_enough_memory
from batches.parsing.text import Text
from batches.parsing.transactions import atomic
from batches.spec import InputFormat
from batches.staging import MAX_COLUMNS, Staging
from batches.targets import Target
from longshore.api.parsers import MAX_DEPTH
from longshore.database.texts import storable
from longshore.files.arrow import compute, pyarrow

# JSON never contains the delimiter, so a line is one cell.
_LINES = Dialect("\x02", None)
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"')
_BRACKET = re.compile(r"[\[\]{}]")
_SAMPLE_RECORDS = 1_000


class JsonInput(Input):
    """A JSON Lines file, or a JSON array of objects."""

    def __init__(self, detected: Detected, text: Callable[[], Text], sample: str) -> None:
        """
        text: returns the text from its beginning, at each call.
        sample: the beginning of the text.
        """
        super().__init__(detected)
        self._text = text
        self._is_array = detected.format is InputFormat.JSON
        self._headers = _first_keys(self._sample_lines(sample))

    def has_json(self, position: int) -> bool:
        return True

    def stage(
        self,
        cursor: psycopg.Cursor,
        staging: Staging,
        assigned: Sequence[Target | None],
        *,
        limit: int | None = None,
    ) -> Parsed:
        return with_enough_memory(partial(self._stage, cursor, staging, assigned, limit))

    def _stage(
        self,
        cursor: psycopg.Cursor,
        staging: Staging,
        assigned: Sequence[Target | None],
        limit: int | None,
        block_bytes: int,
    ) -> Parsed:
        self.rows_read = 0
        malformed = MalformedRows(limit)
        with atomic(cursor):
            create_tables(cursor, staging, len(self._headers))
            cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(staging.raw))
            cursor.execute(
                sql.SQL(
                    "CREATE UNLOGGED TABLE {}"
                    " (row bigint NOT NULL, doc text NOT NULL, is_flat boolean NOT NULL)"
                ).format(staging.raw)
            )
            blocks = self._blocks(malformed, limit, block_bytes)
            loaded = load(cursor, staging.raw, ["row", "doc", "is_flat"], blocks, self.check)
            malformed.store(cursor, staging)
            if loaded + malformed.rows != self.rows_read:
                raise RuntimeError(f"Loaded {loaded} of {self.rows_read - malformed.rows} lines.")
            if not self.rows_read:
                raise empty_input()
            self.check()
            maximum = MAX_COLUMNS - len(self._headers)
            extracted, late = extract(cursor, staging, self._headers, assigned, loaded, maximum)
        if len(late) > maximum:
            raise _too_many_keys()
        self._headers += late
        return Parsed(self.rows_read, self.rows_read - extracted, late)

    def _blocks(self, malformed: MalformedRows, limit: int | None, block_bytes: int) -> Blocks:
        text = self._text()
        array = ArrayLines(text) if self._is_array else None
        reader = RecordReader(
            array or text,
            _LINES,
            1,
            lambda ragged: malformed.add(_with_control_character(ragged)),
            lambda: text.problem,
            limit=limit,
            block_bytes=block_bytes,
        )
        for records in reader:
            numbers, lines = records.numbers, records.cells
            if text.has_nul:
                numbers, lines = refuse_nul(numbers, lines, malformed, partial(_with_nul, numbers))
            yield csv_rows(_with_nesting(numbers, lines[0], malformed))
            self.rows_read = reader.total
        self.rows_read = reader.total
        is_complete = limit is None or reader.total < limit
        if array is not None and is_complete and not array.is_closed:
            raise InputError(
                f"The JSON array is not closed after {reader.total:,} records: the file is "
                "truncated."
            )

    def _sample_lines(self, sample: str) -> Iterator[str]:
        if not self._is_array:
            yield from sample.split("\n")
            return
        for block in ArrayLines([sample.encode()]):
            yield from block.decode().split("\n")


def _first_keys(lines: Iterable[str]) -> list[str]:
    """Return the keys of the first records in the order of their first appearance."""
    keys: dict[str, None] = {}
    for line in islice(lines, _SAMPLE_RECORDS):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            # Not valid, or cut off: an error of the row once it is read.
            continue
        if isinstance(record, dict):
            keys |= dict.fromkeys(filter(storable, record))
    if len(keys) > MAX_COLUMNS:
        raise _too_many_keys()
    return list(keys)


def _too_many_keys() -> InputError:
    return InputError(f"The records have more than {MAX_COLUMNS:,} different keys, the maximum.")


def _with_control_character(ragged: Ragged) -> Malformed:
    message = "The record is not valid JSON: it contains the control character U+0002."
    return Malformed(ragged.number, message, ragged.text)


def _with_nul(
    numbers: Any, position: int, refused: Sequence[tuple[int, str]]
) -> Iterator[Malformed]:
    message = "The record is not valid JSON: it contains a NUL character."
    for _, line in refused:
        yield Malformed(numbers[position].as_py(), message, line)


def _with_nesting(numbers: Any, lines: Any, malformed: MalformedRows) -> list[Any]:
    """Return the columns of `raw`, without the lines that are nested too deep for PostgreSQL.

    A line with a single bracket is flat: all its values are scalars.
    """
    brackets = compute.add(compute.count_substring(lines, "{"), compute.count_substring(lines, "["))
    columns = [numbers, lines, compute.less_equal(brackets, 1)]
    suspect = compute.greater(brackets, MAX_DEPTH)
    deep = []
    if compute.any(suspect).as_py():
        for number, line in zip(
            numbers.filter(suspect).to_pylist(), lines.filter(suspect).to_pylist(), strict=True
        ):
            if _is_deep(line):
                message = f"The record is nested more than {MAX_DEPTH} levels deep."
                malformed.add(Malformed(number, message, line))
                deep.append(number)
    if not deep:
        return columns
    kept = compute.invert(compute.is_in(numbers, pyarrow.array(deep)))
    return [column.filter(kept) for column in columns]


def _is_deep(line: str) -> bool:
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub("", line)):
        depth += 1 if bracket[0] in "{[" else -1
        if depth > MAX_DEPTH:
            return True
    return False
