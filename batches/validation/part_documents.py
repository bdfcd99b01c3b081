"""Parts in JSON arrays of objects."""

from collections.abc import Iterator, Sequence

from psycopg import sql

from batches.errors import BatchErrorCode, RowErrorCode
from batches.parts import MAX_PARTS, number_of, record_of
from batches.staging import MAX_COLUMNS
from batches.targets import Target, takes_json
from batches.validation import messages
from batches.validation.conversion import CellForm, fails
from batches.validation.given import INPUT
from batches.validation.nested import READ_JSON
from batches.validation.part_sources import PartSource, Rows, numbers
from batches.validation.refusals import Refusals
from longshore.api.errors import InvalidInput, Problem

_LISTS = """CREATE UNLOGGED TABLE {lists} AS SELECT input."row", {text} AS text, {value} AS value
FROM {input} AS input WHERE {text} IS NOT NULL"""
# An array, or null; the fence parses the text once.
_ARRAY = """(SELECT CASE WHEN jsonb_typeof(value) = 'array' THEN value END
 FROM (SELECT CASE WHEN {text} ~ '^\\s*[[]' THEN {value} END AS value OFFSET '0') AS read)"""
# What an export shows of records in one cell: plain text, or a JSON list of texts.
_IS_LABELS = """coalesce(CASE WHEN lists.value IS NULL
 THEN {is_table} AND lists.text !~ '^\\s*[[{{]'
 ELSE jsonb_array_length(lists.value) > 0
  AND NOT jsonb_path_exists(lists.value, 'strict $[*] ? (@.type() != "string")') END, false)"""
_DOCUMENTS = """CREATE UNLOGGED TABLE {raw} AS
SELECT {number} AS "row", member.value AS doc
FROM {lists} AS lists JOIN {records} USING ("row")
CROSS JOIN LATERAL jsonb_array_elements(lists.value) WITH ORDINALITY AS member (value, position)
WHERE member.position <= {maximum} AND NOT {is_labels}"""
_KEYS = """SELECT key FROM (SELECT "row", doc FROM {raw} WHERE jsonb_typeof(doc) = 'object') AS raw
CROSS JOIN LATERAL jsonb_object_keys(doc) AS key
GROUP BY key ORDER BY min("row"), key LIMIT {maximum}"""
_REFUSED_LISTS = """SELECT lists."row", {column} AS "column", {code} AS code,
 {value} AS value, {message} AS message FROM {lists} AS lists WHERE {fails}"""
_REFUSED_DOCUMENTS = """SELECT raw."row", {column} AS "column", {code} AS code,
 left(({value})::text, 200) AS value, {message} AS message FROM {raw} AS raw WHERE {fails}"""


class Documents(PartSource):
    """Parts as JSON: one cell has all parts of a record."""

    _scalars: Sequence[str] = ()

    def forms(self, headers: Sequence[str]) -> list[CellForm]:
        form = self.given[0].form
        return [form if form.is_json else CellForm.JSON for _ in headers]

    @property
    def is_given(self) -> sql.Composable:
        is_list = fails(
            'EXISTS (SELECT FROM {} AS lists WHERE lists."row" = input."row"'
            " AND lists.value IS NOT NULL AND NOT {})",
            self._lists,
            self._is_labels,
        )
        if self.given[0].form.is_table:
            return is_list
        return fails("({} AND ({} IS NULL OR {}))", self.is_present, self._cell, is_list)

    def headers(self) -> list[str]:
        self._read()
        query = fails(_KEYS, raw=self.context.staging.raw, maximum=sql.Literal(MAX_COLUMNS))
        self.refusals.cursor.execute(query)
        found = [key for (key,) in self.refusals.cursor.fetchall()]
        if len(found) == MAX_COLUMNS:
            text = f"The records of {self.name} have more than {MAX_COLUMNS - 1:,} different keys."
            code = BatchErrorCode.INVALID_INPUT_FILE
            raise InvalidInput(Problem(code, self.name, None, text, "fewer keys"))
        return found

    def rows(self, headers: Sequence[str], targets: Sequence[Target | None]) -> list[Rows]:
        pairs = list(zip(headers, targets, strict=True))
        self._scalars = [header for header, each in pairs if each and not takes_json(each)]
        number = sql.Identifier("raw", "row")
        return [
            Rows(
                fails("{} AS raw", self.context.staging.raw),
                number,
                record_of(number),
                numbers(
                    fails("CASE WHEN {} THEN NULL ELSE {} END", self._has(header), sql.Literal(at))
                    for at, header in enumerate(headers, 1)
                ),
                [
                    fails("raw.doc ->> {}", sql.Literal(header))
                    if header in self._scalars
                    else fails("nullif(raw.doc -> {}, 'null')::text", sql.Literal(header))
                    for header in headers
                ],
                sql.SQL("true"),
            )
        ]

    def refuse(self, refusals: Refusals) -> None:
        for column, test, code, message in self._problems():
            value = fails("raw.doc -> {}", sql.Literal(column)) if column else sql.SQL("raw.doc")
            refusals.add(
                fails(
                    _REFUSED_DOCUMENTS,
                    column=sql.Literal(column),
                    code=sql.Literal(code),
                    value=value,
                    message=messages.plain(message),
                    raw=self.context.staging.raw,
                    fails=test,
                )
            )

    def warnings(self) -> list[str]:
        query = fails(
            "SELECT EXISTS (SELECT FROM {} AS lists WHERE {})", self._lists, self._is_labels
        )
        self.refusals.cursor.execute(query)
        if not (self.refusals.cursor.fetchone() or (False,))[0]:
            return []
        return [
            f"Rows that only name the records of {self.name} leave them as they are: to change"
            " them, give objects."
        ]

    def _problems(self) -> Iterator[tuple[str, sql.Composable, RowErrorCode, str]]:
        """Yield the column of a mistake of a part, its test, code and message."""
        test = sql.SQL("jsonb_typeof(raw.doc) <> 'object'")
        text = f"Each of {self.name} must be a JSON object."
        yield "", test, RowErrorCode.INVALID_VALUE, text
        for header in self._scalars:
            text = f"{header} takes a single value, not an object or array."
            yield header, _is_nested(header), RowErrorCode.INVALID_TYPE, text

    def _has(self, header: str) -> sql.Composable:
        """Return SQL of a test whether a part has a value that is not refused for its form."""
        test = fails("raw.doc ? {}", sql.Literal(header))
        if header not in self._scalars:
            return test
        return fails("{} AND NOT {}", test, _is_nested(header))

    @property
    def _cell(self) -> sql.Composable:
        return fails("nullif({}, '')", self.given[0].cell(INPUT))

    @property
    def _lists(self) -> sql.Identifier:
        return self.context.staging.working("lists", 0)

    @property
    def _is_labels(self) -> sql.Composable:
        return fails(_IS_LABELS, is_table=sql.Literal(self.given[0].form.is_table))

    def _read(self) -> None:
        """Create the table of lists, and that of their members."""
        cursor, text = self.refusals.cursor, self._cell
        value = fails(_ARRAY, text=text, value=fails(READ_JSON, text))
        cursor.execute(
            fails(_LISTS, lists=self._lists, text=text, value=value, input=self.outer.staging.input)
        )
        cursor.execute(fails("ANALYZE {}", self._lists))
        self._refuse_lists()
        cursor.execute(
            fails(
                _DOCUMENTS,
                raw=self.context.staging.raw,
                number=number_of(sql.Identifier("record", "row"), sql.SQL("(member.position - 1)")),
                lists=self._lists,
                records=self.records,
                maximum=sql.Literal(MAX_PARTS),
                is_labels=self._is_labels,
            )
        )
        cursor.execute(fails("ANALYZE {}", self.context.staging.raw))

    def _refuse_lists(self) -> None:
        """Write the errors of cells that are not lists or have too many members."""
        text = sql.Identifier("lists", "text")
        accepted = messages.not_accepted(text, self.name, "a JSON array of objects")
        too_many = messages.plain(messages.too_many_parts(MAX_PARTS))
        unreadable = fails("lists.value IS NULL AND NOT {}", self._is_labels)
        is_long = fails("jsonb_array_length(lists.value) > {}", sql.Literal(MAX_PARTS))
        for test, code, message in (
            (unreadable, RowErrorCode.INVALID_VALUE, accepted),
            (is_long, RowErrorCode.TOO_LONG, too_many),
        ):
            self.refusals.add(
                fails(
                    _REFUSED_LISTS,
                    column=sql.Literal(self.given[0].target.name),
                    code=sql.Literal(code),
                    value=messages.shortened(text),
                    message=message,
                    lists=self._lists,
                    fails=test,
                )
            )


def _is_nested(header: str) -> sql.Composable:
    """Return SQL of a test whether a part has an object or array as a value."""
    return fails("jsonb_typeof(raw.doc -> {}) IN ('object', 'array')", sql.Literal(header))
