"""Where parts stand in an input: in the cells of flattened or repeated headers, or in JSON arrays.

A source stages each part as a row, with the number that tells its record (`batches.parts`).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg import sql

from batches.context import Context
from batches.parts import MAX_PARTS, number_of
from batches.targets import Target
from batches.validation.conversion import CellForm, fails
from batches.validation.given import INPUT, Given
from batches.validation.refusals import Refusals
from batches.validation.repeated import rows_of_records

_RECORDS = """(SELECT DISTINCT ON ("row") "row", key FROM {plan} AS plan
 WHERE key IS NOT NULL AND {is_new}) AS record"""
_FILL = """INSERT INTO {parts} ("row", absent, {columns}) SELECT {number}, {absent}, {cells}
FROM {source} JOIN {records} ON record."row" = {record} WHERE {is_given}"""


@dataclass(frozen=True)
class Rows:
    """A query of parts.

    source: FROM item. number: of the part. record: the number of its record. absent: SQL of the
    numbers of absent columns. cells: the texts of the columns. is_given: whether a part is there.
    """

    source: sql.Composable
    number: sql.Composable
    record: sql.Composable
    absent: sql.Composable
    cells: Sequence[sql.Composable]
    is_given: sql.Composable


@dataclass
class PartSource(ABC):
    """The cells of an input with the parts of one relation.

    refusals: of the records. context: of the parts.
    """

    refusals: Refusals
    context: Context
    given: Sequence[Given]

    @property
    def outer(self) -> Context:
        return self.refusals.context

    @property
    def name(self) -> str:
        return self.given[0].target.sets

    @abstractmethod
    def forms(self, headers: Sequence[str]) -> list[CellForm]:
        """Return how the cells of each column are written."""

    @abstractmethod
    def headers(self) -> list[str]:
        """Return the names of the columns of parts. Raises InvalidInput for too many."""

    @abstractmethod
    def rows(self, headers: Sequence[str], targets: Sequence[Target | None]) -> list[Rows]:
        """Return the queries of the parts."""

    @abstractmethod
    def refuse(self, refusals: Refusals) -> None:
        """Write the errors of parts as they stand in the input. refusals: of the parts."""

    @abstractmethod
    def warnings(self) -> list[str]:
        """Return sentences about parts that are not read."""

    @property
    @abstractmethod
    def is_given(self) -> sql.Composable:
        """SQL of a test whether a row of the records' `input` gives their parts."""

    def stage(self, headers: Sequence[str], targets: Sequence[Target | None]) -> None:
        """Create `input` of the parts. Its first column is the key of the record."""
        cursor, staging = self.refusals.cursor, self.context.staging
        columns = [staging.column(number) for number in range(len(headers) + 1)]
        cursor.execute(
            fails(
                'CREATE UNLOGGED TABLE {} ("row" bigint, absent smallint[], {})',
                staging.input,
                sql.SQL(", ").join(fails("{} text", each) for each in columns),
            )
        )
        for rows in self.rows(headers, targets):
            cursor.execute(
                fails(
                    _FILL,
                    parts=staging.input,
                    columns=sql.SQL(", ").join(columns),
                    number=rows.number,
                    absent=rows.absent,
                    cells=sql.SQL(", ").join([sql.SQL("record.key::text"), *rows.cells]),
                    source=rows.source,
                    records=self.records,
                    record=rows.record,
                    is_given=rows.is_given,
                )
            )
        cursor.execute(fails("ANALYZE {}", staging.input))

    @property
    def records(self) -> sql.Composable:
        """FROM item of the records whose parts are staged: `row` and `key`."""
        is_new = self.refusals.is_new(sql.Identifier("plan", "row"))
        return fails(_RECORDS, plan=self.outer.staging.plan, is_new=is_new)

    @property
    def is_present(self) -> sql.Composable:
        """SQL of a test whether a row of the records' `input` has one of the cells."""
        numbers = [each.number for each in self.given if each.number is not None]
        absent = (fails("{} = ANY (input.absent)", sql.Literal(each)) for each in numbers)
        return fails("({}) IS NOT TRUE", sql.SQL(" AND ").join(absent))


class Cells(PartSource):
    """Parts in the cells of flattened headers, or of rows that repeat the record."""

    def forms(self, headers: Sequence[str]) -> list[CellForm]:
        found = {each.target.inner.name: each.form for each in self.given if each.target.inner}
        return [found[header] for header in headers]

    @property
    def is_given(self) -> sql.Composable:
        return self.is_present

    def headers(self) -> list[str]:
        inner = (each.target.inner for each in self.given)
        return list(dict.fromkeys(each.name for each in inner if each))

    def rows(self, headers: Sequence[str], targets: Sequence[Target | None]) -> list[Rows]:
        cells: dict[int, dict[str, Given]] = {}
        for given in self.given:
            if given.target.inner is not None:
                position = given.target.index or 0
                cells.setdefault(position, {})[given.target.inner.name] = given
        return [self._rows(headers, cells[each], each) for each in sorted(cells)]

    def refuse(self, refusals: Refusals) -> None:
        """Cells of parts are validated as those of records are."""

    def warnings(self) -> list[str]:
        return []

    def _rows(self, headers: Sequence[str], given: dict[str, Given], index: int) -> Rows:
        """Return the query of the parts of one position."""
        found = [given.get(header) for header in headers]
        cells = [sql.NULL if each is None else each.cell(INPUT) for each in found]
        is_given = fails("num_nonnulls({}) > 0", sql.SQL(", ").join(cells))
        staging, row = self.outer.staging, sql.Identifier("input", "row")
        if not self.context.is_repeated:
            number = number_of(row, sql.Literal(index))
            rows = fails("{} AS input", staging.input)
            return Rows(rows, number, row, self._absent(found), cells, is_given)
        first, source = rows_of_records(self.outer)
        position = fails("({} - {})", row, first)
        return Rows(
            source,
            number_of(first, position),
            first,
            self._absent(found),
            cells,
            fails("{} AND {} < {}", is_given, position, sql.Literal(MAX_PARTS)),
        )

    def _absent(self, found: Sequence[Given | None]) -> sql.Composable:
        if self.given[0].form.is_table:
            return sql.SQL("NULL::smallint[]")
        return numbers(
            sql.Literal(number)
            if each is None
            else fails(
                "CASE WHEN {} = ANY (input.absent) THEN {} END",
                sql.Literal(each.number),
                sql.Literal(number),
            )
            for number, each in enumerate(found, 1)
        )


def numbers(absent: Iterable[sql.Composable]) -> sql.Composable:
    """Return SQL of an array of the numbers that are not null; null if there is none."""
    return fails(
        "nullif(array_remove(ARRAY[{}]::smallint[], NULL), '{{}}')", sql.SQL(", ").join(absent)
    )
