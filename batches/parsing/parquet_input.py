"""Parquet: typed columns, staged as texts; lists, structs and maps as JSON."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import Any

import psycopg

# Before other modules of pyarrow: it chooses the allocator.
from longshore.files.arrow import compute, pyarrow, types  # isort: skip
from pyarrow.parquet import ParquetFile

from batches.parsing.arrow_texts import inexact, shown_texts, texts
from batches.parsing.base import Detected, Input, Parsed, checked_headers
from batches.parsing.decompression import max_decompressed_bytes
from batches.parsing.errors import InputError, empty_input
from batches.parsing.loading import (
    Blocks,
    Malformed,
    MalformedRows,
    create_tables,
    csv_rows,
    escaped_source,
    input_columns,
    load,
    refuse_cells_with_nul,
)
from batches.parsing.source import Source
from batches.parsing.transactions import atomic
from batches.spec import InputFormat
from batches.staging import Staging
from batches.targets import Target, takes_json
from longshore.api.errors import display_value

_TEXTS = (types.is_string, types.is_large_string, types.is_string_view)
# Values whose texts are not what the options of the batch describe.
_FORMATTED = (types.is_timestamp, types.is_decimal, types.is_floating)
# A batch of rows has about this size in memory.
_BATCH_BYTES, _MAX_BATCH_ROWS = 1 << 22, 1 << 14
MAX_PIECE_BYTES = 1 << 25
# Values that are errors of rows; more of them are an error of the file.
MAX_INEXACT = 1_000
# Bytes of a column chunk that are read at once.
_BUFFER_BYTES = 1 << 18
# Limits of the footer, which is decoded as a whole.
_FOOTER_STRING_BYTES, _FOOTER_ITEMS = 1 << 24, 1 << 20


class ParquetInput(Input):
    """A Parquet file."""

    def __init__(self, source: Source, *, unescape_formulas: bool) -> None:
        """unescape_formulas: of the CSV with the failed rows, if it is sent again."""
        super().__init__(Detected(InputFormat.PARQUET))
        self._unescape = unescape_formulas
        self._source = source
        self._inexact = 0
        with self._opened() as file:
            if not file.metadata.num_rows:
                raise empty_input()
            self._headers = checked_headers(file.schema_arrow.names)
            self._kinds: list[Any] = file.schema_arrow.types

    def has_json(self, position: int) -> bool:
        return bool(types.is_nested(self._kinds[position]))

    def is_typed(self, position: int) -> bool:
        leaves = list(_leaves(self._kinds[position]))
        has_texts = any(is_text(leaf) for is_text in _TEXTS for leaf in leaves)
        # The options apply to the whole column: they would refuse typed values beside its texts.
        return not has_texts or any(is_kind(leaf) for is_kind in _FORMATTED for leaf in leaves)

    def stage(
        self,
        cursor: psycopg.Cursor,
        staging: Staging,
        assigned: Sequence[Target | None],
        *,
        limit: int | None = None,
    ) -> Parsed:
        self.rows_read = self._inexact = 0
        malformed = MalformedRows(limit)
        names = input_columns(len(self._headers))
        with atomic(cursor), self._opened() as file:
            self._check_nested(file.schema_arrow, assigned)
            create_tables(cursor, staging, len(self._headers))
            blocks = self._blocks(file, assigned, limit, malformed)
            loaded = load(cursor, staging.input, names, blocks, self.check)
            malformed.store(cursor, staging)
            if loaded + malformed.rows != self.rows_read:
                raise RuntimeError(f"Staged {loaded} of {self.rows_read - malformed.rows} rows.")
        return Parsed(self.rows_read, malformed.rows)

    def _blocks(
        self,
        file: ParquetFile,
        assigned: Sequence[Target | None],
        limit: int | None,
        malformed: MalformedRows,
    ) -> Blocks:
        maximum = max_decompressed_bytes(self._source.size)
        size = 0
        batches = file.iter_batches(_batch_rows(file), use_threads=False)
        for batch in chain.from_iterable(map(_pieces, batches)):
            size += _decoded_bytes(batch)
            if size > maximum:
                raise InputError(f"The file expands to more than {maximum:,} bytes.")
            if limit is not None:
                batch = batch.slice(0, limit - self.rows_read)
            batch.validate(full=True)
            first = self.rows_read + 1
            numbers = pyarrow.arange(first, first + batch.num_rows)
            rows_read = batch.num_rows
            numbers, batch = self._refuse_inexact(numbers, batch, assigned, malformed)
            cells = [
                texts(column) if target else shown_texts(column)
                for column, target in zip(batch.columns, assigned, strict=True)
            ]
            source = partial(escaped_source, unescape_formulas=self._unescape)
            numbers, cells = refuse_cells_with_nul(numbers, cells, malformed, self._headers, source)
            yield csv_rows([numbers, *cells])
            self.rows_read += rows_read
            if self.rows_read == limit:
                return
        if limit is None and self.rows_read != file.metadata.num_rows:
            raise InputError(
                f"The file has {self.rows_read:,} rows, but its footer says "
                f"{file.metadata.num_rows:,}."
            )

    def _refuse_inexact(
        self,
        numbers: Any,
        batch: Any,
        assigned: Sequence[Target | None],
        malformed: MalformedRows,
    ) -> tuple[Any, Any]:
        """Leave out the rows with a value that has no exact text. Returns numbers and rows.

        Raises InputError if there are too many of them: then it is a property of the file.
        """
        found: dict[int, list[tuple[str, str]]] = {}
        for header, column, target in zip(self._headers, batch.columns, assigned, strict=True):
            if target is None:
                continue
            for position, reason in inexact(column):
                text = f"has a value that cannot be read exactly: {reason}."
                found.setdefault(position, []).append((header, f"{header} {text}"))
                self._inexact += 1
                if self._inexact > MAX_INEXACT:
                    raise InputError(f"The column {display_value(header)} {text}")
        if not found:
            return numbers, batch
        for position, errors in sorted(found.items()):
            cells = [shown_texts(each.slice(position, 1))[0].as_py() for each in batch.columns]
            row = numbers[position].as_py()
            source: str | None = escaped_source(cells, unescape_formulas=self._unescape)
            refused = []
            for header, message in errors:
                value = cells[self._headers.index(header)]
                refused.append(Malformed(row, message, source, header, value))
                source = None
            malformed.add(*refused)
        is_exact = pyarrow.array([position not in found for position in range(batch.num_rows)])
        return numbers.filter(is_exact), batch.filter(is_exact)

    def _check_nested(self, schema: Any, assigned: Sequence[Target | None]) -> None:
        for field, target in zip(schema, assigned, strict=True):
            if target and types.is_nested(field.type) and not takes_json(target):
                raise InputError(
                    f"{target.name} takes a single value, but the column "
                    f"{display_value(field.name)} has the type {field.type}."
                )

    @contextmanager
    def _opened(self) -> Iterator[ParquetFile]:
        try:
            options: dict[str, Any] = {
                "buffer_size": _BUFFER_BYTES,
                "thrift_string_size_limit": _FOOTER_STRING_BYTES,
                "thrift_container_size_limit": _FOOTER_ITEMS,
            }
            with ParquetFile(self._source.file(), **options) as file:
                texts_of = [each.name for each in file.schema_arrow if _is_text(each.type)]
            # A dictionary may hold a large text that a million rows refer to: do not copy it.
            file = ParquetFile(self._source.file(), read_dictionary=texts_of, **options)
            with file:
                yield file
        except (pyarrow.ArrowException, UnicodeDecodeError) as error:
            raise InputError(f"The Parquet file is damaged: {error}.") from error
        except OSError as error:
            # pyarrow reports damaged files so; errors of the storage have a number.
            if error.errno is not None:
                raise
            raise InputError(f"The Parquet file is damaged: {error}.") from error


def _batch_rows(file: ParquetFile) -> int:
    """Return the number of rows that are read at once, by the average size of a row."""
    metadata = file.metadata
    groups = (metadata.row_group(index) for index in range(metadata.num_row_groups))
    size = sum(group.total_byte_size for group in groups)
    row_bytes: int = max(1, size // metadata.num_rows, 16 * metadata.num_columns)
    return min(max(1, _BATCH_BYTES // row_bytes), _MAX_BATCH_ROWS)


def _is_text(kind: Any) -> bool:
    return bool(types.is_string(kind) or types.is_binary(kind))


def _leaves(kind: Any) -> Iterator[Any]:
    """Yield the types of the values in a type. The keys of a map are names, not values."""
    if types.is_dictionary(kind):
        yield from _leaves(kind.value_type)
    elif types.is_map(kind):
        yield from _leaves(kind.item_type)
    elif types.is_nested(kind):
        for index in range(kind.num_fields):
            yield from _leaves(kind.field(index).type)
    else:
        yield kind


def _pieces(batch: Any) -> Iterator[Any]:
    """Split a batch whose texts would take too much memory."""
    if batch.num_rows <= 1 or _decoded_bytes(batch) <= MAX_PIECE_BYTES:
        yield batch
        return
    half = batch.num_rows // 2
    yield from _pieces(batch.slice(0, half))
    yield from _pieces(batch.slice(half))


def _decoded_bytes(batch: Any) -> int:
    """Return the bytes that a batch takes once each row has its own copy of its texts."""
    size = 0
    for column in batch.columns:
        if types.is_dictionary(column.type) and _is_text(column.type.value_type):
            lengths = compute.binary_length(column.dictionary).take(column.indices)
            size += compute.sum(lengths).as_py() or 0
        else:
            size += column.nbytes
    return size
