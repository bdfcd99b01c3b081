"""Finds the errors of rows that cannot be planned.

The row names no record, or another row names the same record.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum

from psycopg import sql

from batches.errors import RowErrorCode
from batches.spec import Duplicates
from batches.staging import Step
from batches.validation import messages
from batches.validation.cells import GIVEN_KEY
from batches.validation.identity import Identity, typed
from batches.validation.refusals import Refusals

_PROBLEMS = """SELECT plan."row", {column} AS "column", {code} AS code, {value} AS value,
 {message} AS message
FROM (SELECT DISTINCT "row" FROM {plan} WHERE problem = {problem}) AS plan
JOIN {typed} AS typed ON typed.longshore_row = plan.row"""
_SEVERAL = """SELECT "row", {column} AS "column", {code} AS code, NULL AS value,
 {message} AS message FROM {plan} GROUP BY "row" HAVING count(*) > 1"""
_SAME_RECORD = """WITH named AS (SELECT plan."row", {identity} FROM {plan} AS plan {typed}
 WHERE {is_named})
SELECT DISTINCT named."row", '' AS "column", {code} AS code, NULL AS value, {message} AS message
FROM named JOIN (SELECT {names}, min("row") AS first, max("row") AS last FROM named
 GROUP BY {names} HAVING count(DISTINCT "row") > 1) AS same USING ({names})
WHERE {is_refused}"""


class Problem(StrEnum):
    """Why a row is not planned.

    UNREADABLE: its key cannot be read; that cell has an error.
    NO_ID: it would create a record, and must give its primary key.
    """

    UNREADABLE = ""
    UNKNOWN_ID = "i"
    UNKNOWN_KEY = "k"
    NO_KEY = "n"
    NO_ID = "m"
    EXISTS = "e"


def refuse_unplanned(refusals: Refusals, identity: Identity) -> None:
    """Write the errors of the rows in `plan` with a problem, and of duplicates."""
    for found in (*_problems(refusals, identity), *_duplicates(refusals, identity)):
        refusals.add(found)


def _problems(refusals: Refusals, identity: Identity) -> Iterator[sql.Composable]:
    staging = refusals.context.staging
    names = identity.names
    given_id = sql.SQL("typed.{}::text").format(GIVEN_KEY) if identity.has_id else sql.NULL
    shown = sql.SQL(" || ', ' || ").join(
        sql.SQL("coalesce({}::text, '')").format(typed(each)) for each in identity.key
    )
    unknown_id = messages.no_such_record(given_id, identity.noun, identity.id_name)
    key = messages.joined(names)
    unknown_key = messages.no_such_record(shown, identity.noun, key) if identity.key else sql.NULL
    id_name, name = sql.Literal(identity.id_name), sql.Literal(names[0])
    sentences = (
        (Problem.UNKNOWN_ID, RowErrorCode.NOT_FOUND, id_name, given_id, unknown_id),
        (Problem.UNKNOWN_KEY, RowErrorCode.NOT_FOUND, name, shown, unknown_key),
        (
            *(Problem.NO_KEY, RowErrorCode.MISSING_KEY, _first_empty(identity), sql.NULL),
            messages.plain(messages.missing_key(names)),
        ),
        (
            *(Problem.NO_ID, RowErrorCode.MISSING_VALUE, id_name, sql.NULL),
            messages.plain(messages.missing_value(identity.id_name)),
        ),
        (
            *(Problem.EXISTS, RowErrorCode.ALREADY_EXISTS, name, sql.NULL),
            messages.plain(messages.already_exists(identity.noun)),
        ),
    )
    refusals.cursor.execute(
        sql.SQL("SELECT DISTINCT problem FROM {} WHERE problem > ''").format(staging.plan)
    )
    found = {problem for (problem,) in refusals.cursor.fetchall()}
    for problem, code, column, value, message in sentences:
        if problem in found:
            yield sql.SQL(_PROBLEMS).format(
                column=column,
                code=sql.Literal(code),
                value=messages.shortened(value) if value is not sql.NULL else value,
                message=message,
                plan=staging.plan,
                typed=staging.typed,
                problem=sql.Literal(problem),
            )
    if identity.key:
        yield sql.SQL(_SEVERAL).format(
            column=sql.Literal(names[0]),
            code=sql.Literal(RowErrorCode.AMBIGUOUS_REFERENCE),
            message=messages.plain(messages.several_named(identity.noun, names, identity.id_name)),
            plan=staging.plan,
        )


def _first_empty(identity: Identity) -> sql.Composable:
    """Return SQL of the name of the first column of the key that is missing or empty."""
    otherwise = sql.Literal((identity.missing or identity.names)[0])
    if not identity.key:
        return otherwise
    cases = sql.SQL(" ").join(
        sql.SQL("WHEN {} THEN {}").format(
            identity.is_empty(each), sql.Literal(each.sources[0].name)
        )
        for each in identity.key
    )
    return sql.SQL("CASE {} ELSE {} END").format(cases, otherwise)


def _duplicates(refusals: Refusals, identity: Identity) -> Iterator[sql.Composable]:
    """Yield the errors of rows that name the same record, existing or to be created."""
    create = sql.Literal(Step.CREATE)
    if identity.names_records:
        is_known: sql.Composable = sql.SQL("plan.key IS NOT NULL")
        if not identity.gives_keys:
            is_known = sql.SQL("{} AND plan.step IS DISTINCT FROM {}").format(is_known, create)
        yield _same(refusals, [sql.SQL("plan.key")], is_known, sql.SQL(""))
    if identity.key:
        is_created = sql.SQL("(plan.step = {} OR plan.problem = {})").format(
            create, sql.Literal(Problem.UNKNOWN_KEY)
        )
        joined = sql.SQL("JOIN {} AS typed ON typed.longshore_row = plan.row").format(
            refusals.context.staging.typed
        )
        yield _same(refusals, [typed(each) for each in identity.key], is_created, joined)


def _same(
    refusals: Refusals,
    values: Sequence[sql.Composable],
    is_named: sql.Composable,
    joined: sql.Composable,
) -> sql.Composable:
    """Return a query of the errors of rows with the same values. is_named: which rows count."""
    names = [sql.Identifier(f"value {number}") for number in range(len(values))]
    other = sql.SQL('(CASE WHEN named."row" = same.first THEN same.last ELSE same.first END)')
    is_refused = sql.SQL("true")
    if refusals.context.spec.duplicates is Duplicates.USE_FIRST:
        is_refused = sql.SQL('named."row" <> same.first')
    return sql.SQL(_SAME_RECORD).format(
        identity=sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(value, name)
            for value, name in zip(values, names, strict=True)
        ),
        names=sql.SQL(", ").join(names),
        plan=refusals.context.staging.plan,
        typed=joined,
        is_named=is_named,
        code=sql.Literal(RowErrorCode.DUPLICATE_ROW),
        message=messages.duplicate_row(refusals.context.place_of(other)),
        is_refused=is_refused,
    )
