"""SQL that validates JSON records and extracts their values into the table `input`."""

from collections.abc import Iterable, Sequence

import psycopg
from psycopg import sql

from batches.errors import RowErrorCode
from batches.staging import Staging
from batches.targets import Target, takes_json

# The fence lets PostgreSQL parse each record once. A null record is not valid.
_RECORDS = (
    "(SELECT row, doc, is_flat, CASE WHEN NOT pg_input_is_valid(doc, 'jsonb') THEN NULL"
    " WHEN doc IS JSON OBJECT WITH UNIQUE KEYS THEN doc::jsonb END AS record"
    " FROM {raw}{condition} OFFSET 0) AS records"
)
_NOT_EXTRACTED = " WHERE NOT EXISTS (SELECT FROM {input} WHERE {input}.row = {raw}.row)"
_EXTRACT = (
    "INSERT INTO {input} (row, {columns}absent) SELECT row, {values}"
    " CASE WHEN record ?& {keys} THEN NULL ELSE array_remove(ARRAY[{absent}]::int[], NULL) END"
    " FROM {records} WHERE record IS NOT NULL{conditions}"
)
_ONLY_SCALARS = " AND (is_flat OR {})"
_IS_SCALAR = "coalesce(jsonb_typeof(record -> {}) NOT IN ('object', 'array'), true)"
_ONLY_KNOWN = " AND record - {keys} = '{{}}'"
_LATE_KEYS = (
    "SELECT key FROM {records}, jsonb_object_keys(record - {keys}) AS key"
    " GROUP BY key ORDER BY min(row), key LIMIT {limit}"
)
_INVALID = (
    'INSERT INTO {malformed} (row, "column", code, value, message, source)'
    " SELECT row, '', {code}, left(doc, 200), CASE"
    " WHEN info.message IS NOT NULL THEN 'The record is not valid JSON: '"
    " || left(coalesce(info.detail, info.message || '.'), 500)"
    " WHEN doc IS JSON OBJECT THEN 'The record contains a key twice'"
    " || coalesce(': ' || to_json(left(twice.key, 100)), '') || '.'"
    " ELSE 'The record must be a JSON object, not ' || CASE json_typeof(doc::json)"
    " WHEN 'array' THEN 'an array' WHEN 'null' THEN 'null'"
    " ELSE 'a ' || json_typeof(doc::json) END || '.' END, doc"
    " FROM {records}, LATERAL pg_input_error_info(doc, 'jsonb') AS info"
    " LEFT JOIN LATERAL (SELECT key FROM json_object_keys("
    " CASE WHEN pg_input_is_valid(doc, 'jsonb') AND doc IS JSON OBJECT THEN doc::json END) AS key"
    " GROUP BY key HAVING count(*) > 1 LIMIT 1) AS twice ON true"
    " WHERE record IS NULL"
    " AND NOT EXISTS (SELECT FROM {malformed} AS found WHERE found.row = records.row)"
)
# Escapes of JSON that no text of the database holds: a NUL character, and half of a pair. The group
# holds escaped backslashes before them. The test of a second half counts the backslashes before the
# first half: `\\ud83d` is an escaped backslash and a text.
_HIGH, _LOW = r"\\u[dD][89abAB][0-9a-fA-F]{2}", r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_UNPAIRED = rf"{_HIGH}(?!{_LOW})|(?<![^\\](?:\\\\)*{_HIGH}){_LOW}"
_ESCAPES = rf"(?<!\\)((?:\\\\)*)(?:\\u0000|{_UNPAIRED})"
# Stands for such an escape, so that PostgreSQL reads the record, and finds the values with one.
_MARK = "\uffff"
# Longer records have one error for the whole record.
_MAX_SEARCHED = 1 << 20
_UNSTORABLE = (
    'INSERT INTO {malformed} (row, "column", code, value, message, source)'
    " SELECT row, shown.key, {code}, left(replace(cell.value, {mark}, {shown}), 200), shown.key"
    " || CASE WHEN strpos(cell.key || cell.value, {mark}) > 0"
    " THEN ' contains a NUL character or an unpaired surrogate, which no text may contain.'"
    " ELSE ' is not a valid value: '"
    " || (SELECT left(coalesce(detail, message || '.'), 500)"
    " FROM pg_input_error_info(cell.value, 'jsonb')) END, records.doc"
    " FROM {records}, LATERAL (SELECT CASE WHEN length(records.doc) <= {searched}"
    " THEN regexp_replace(records.doc, {escapes}, {marked}, 'g') END AS text OFFSET 0) AS safe,"
    " LATERAL (SELECT key, value::text FROM json_each("
    " CASE WHEN safe.text IS JSON OBJECT THEN safe.text::json END)) AS cell,"
    " LATERAL (SELECT left(replace(key, {mark}, {shown}), 200) AS key) AS shown"
    " WHERE record IS NULL AND NOT pg_input_is_valid(records.doc, 'jsonb')"
    " AND (strpos(cell.key || cell.value, {mark}) > 0"
    " OR NOT pg_input_is_valid(cell.value, 'jsonb'))"
)
_NESTED = (
    'INSERT INTO {malformed} (row, "column", code, value, message, source)'
    " SELECT row, key, {code}, left(value::text, 200), key || ' takes a single value, not an '"
    " || jsonb_typeof(value) || '.', doc"
    " FROM {records}, LATERAL (VALUES {cells}) AS cell (key, value)"
    " WHERE jsonb_typeof(value) IN ('object', 'array')"
)


def extract(
    cursor: psycopg.Cursor,
    staging: Staging,
    headers: Sequence[str],
    assigned: Sequence[Target | None],
    records: int,
    max_late_keys: int,
) -> tuple[int, list[str]]:
    """Fill `input` and `malformed` from the table `raw`.

    records: rows of `raw`.
    Returns the number of extracted records, and the keys of records that are not in `headers`: one
    more than `max_late_keys` if there are more.
    """
    statements = _Statements(staging, headers, assigned)
    cursor.execute(statements.extract(only_known=True))
    extracted = cursor.rowcount
    if extracted == records:
        return extracted, []
    cursor.execute(sql.SQL("ANALYZE {}").format(staging.input))
    cursor.execute(statements.late_keys(max_late_keys + 1))
    late = [key for (key,) in cursor.fetchall()]
    if late:
        cursor.execute(statements.extract(only_known=False))
        extracted += cursor.rowcount
    if extracted < records:
        for statement in statements.errors():
            cursor.execute(statement)
    return extracted, late


class _Statements:
    def __init__(
        self, staging: Staging, headers: Sequence[str], assigned: Sequence[Target | None]
    ) -> None:
        self._staging = staging
        self._headers = headers
        self._is_json = [target is not None and takes_json(target) for target in assigned]
        self._single = [
            header
            for header, target, is_json in zip(headers, assigned, self._is_json, strict=True)
            if target is not None and not is_json
        ]
        self._keys = sql.SQL("{}::text[]").format(sql.Literal(list(headers)))

    def extract(self, *, only_known: bool) -> sql.Composed:
        """Return the INSERT of all valid records with known keys, or of the others."""
        scalars = sql.SQL(" AND ").join(
            sql.SQL(_IS_SCALAR).format(header) for header in self._single
        )
        conditions = sql.SQL(_ONLY_SCALARS).format(scalars) if self._single else sql.SQL("")
        if only_known:
            conditions += sql.SQL(_ONLY_KNOWN).format(keys=self._keys)
        numbers = range(len(self._headers))
        return sql.SQL(_EXTRACT).format(
            input=self._staging.input,
            columns=_listed(map(self._staging.column, numbers)),
            values=_listed(map(self._value, numbers)),
            absent=sql.SQL(", ").join(
                sql.SQL("CASE WHEN record ? {} THEN NULL ELSE {} END").format(header, number)
                for number, header in enumerate(self._headers)
            ),
            keys=self._keys,
            records=self._records(all_records=only_known),
            conditions=conditions,
        )

    def late_keys(self, limit: int) -> sql.Composed:
        return sql.SQL(_LATE_KEYS).format(records=self._records(), keys=self._keys, limit=limit)

    def errors(self) -> list[sql.Composed]:
        """Return the INSERTs of the errors of the records that were not extracted, in order."""
        malformed = self._staging.malformed
        invalid = sql.SQL(_INVALID).format(
            malformed=malformed, code=RowErrorCode.MALFORMED_ROW.value, records=self._records()
        )
        unstorable = sql.SQL(_UNSTORABLE).format(
            malformed=malformed,
            code=RowErrorCode.MALFORMED_ROW.value,
            records=self._records(),
            escapes=_ESCAPES,
            mark=_MARK,
            marked=rf"\1{_MARK}",
            shown="\ufffd",
            searched=_MAX_SEARCHED,
        )
        if not self._single:
            return [unstorable, invalid]
        cells = sql.SQL(", ").join(
            sql.SQL("({0}::text, record -> {0})").format(header) for header in self._single
        )
        nested = sql.SQL(_NESTED).format(
            malformed=malformed,
            code=RowErrorCode.INVALID_TYPE.value,
            records=self._records(),
            cells=cells,
        )
        return [unstorable, invalid, nested]

    def _records(self, *, all_records: bool = False) -> sql.Composed:
        names = {"raw": self._staging.raw, "input": self._staging.input}
        condition = sql.SQL("" if all_records else _NOT_EXTRACTED).format(**names)
        return sql.SQL(_RECORDS).format(raw=self._staging.raw, condition=condition)

    def _value(self, number: int) -> sql.Composed:
        header = self._headers[number]
        if self._is_json[number]:
            return sql.SQL("nullif(record -> {}, 'null')::text").format(header)
        return sql.SQL("record ->> {}").format(header)


def _listed(parts: Iterable[sql.Composable]) -> sql.Composed:
    """Return the parts, each with a comma after it."""
    return sql.SQL("").join(sql.SQL("{}, ").format(part) for part in parts)
