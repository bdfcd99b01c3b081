"""What the database knows of a table: its check constraints and its unique indexes.

PostgreSQL's own text of an expression has exactly the meaning that the write will test.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import models
from psycopg import sql

from batches.validation import messages
from longshore.api.errors import ApiError
from longshore.database.tables import table_name
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.registry import Resource
from longshore.resources.tables import concrete_model

_KIND = "SELECT relkind::text FROM pg_class WHERE oid = to_regclass(%s)"
_WITHOUT_VERSIONS = {"v": "view", "m": "materialized view", "f": "foreign table"}
_CHECKS = """SELECT conname, pg_get_expr(conbin, conrelid),
 ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY (conkey))
FROM pg_constraint WHERE conrelid = to_regclass(%s) AND contype = 'c' ORDER BY conname"""
_GENERATED = """SELECT attname, pg_get_expr(adbin, adrelid) FROM pg_attrdef
JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
WHERE adrelid = to_regclass(%s) AND attgenerated <> ''"""
_UNIQUE = """SELECT relname, pg_get_expr(indpred, indrelid), indnullsnotdistinct,
 ARRAY(SELECT pg_get_indexdef(indexrelid, number, true)
  FROM generate_series(1, indnkeyatts) AS number ORDER BY number),
 ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = indrelid AND attnum > 0
  AND EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = indexrelid
   AND refclassid = 'pg_class'::regclass AND refobjid = indrelid AND refobjsubid = attnum
   UNION ALL SELECT WHERE attnum = ANY (indkey)))
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE indrelid = to_regclass(%s) AND indisunique AND NOT indisprimary AND indisvalid
ORDER BY relname"""


_ALL = sql.SQL("true")


@dataclass(frozen=True)
class Check:
    """A check constraint. condition: SQL on the columns of the table, without an alias."""

    condition: sql.Composable
    message: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class UniqueIndex:
    """A unique index beside that of the primary key.

    expressions, condition: SQL on the columns of the table, without an alias.
    columns: those on which the index depends.
    message: that the model declares; empty if it declares none.
    """

    expressions: tuple[sql.Composable, ...]
    condition: sql.Composable
    nulls_are_equal: bool
    columns: frozenset[str]
    message: str

    @property
    def plain_columns(self) -> frozenset[str] | None:
        """The columns whose values alone are unique in all records; None for another index."""
        names = {each.as_string().strip('"').replace('""', '"') for each in self.expressions}
        is_plain = names == self.columns and self.condition == _ALL
        return self.columns if is_plain else None


def refuse_view(cursor: psycopg.Cursor[Any], resource: Resource) -> None:
    """Raise ApiError if the records of a resource are not rows of a table of this database.

    The journal of a batch needs the version of each row (`xmin`), which a view does not have.
    """
    cursor.execute(_KIND, [quoted_table(resource.model)])
    if (row := cursor.fetchone()) and (noun := _WITHOUT_VERSIONS.get(row[0])):
        text = f"A batch cannot write {resource.plural}: they are rows of a {noun}."
        raise ApiError(ResourceErrorCode.INVALID_RESOURCE, text)


def checks(cursor: psycopg.Cursor[Any], model: type[models.Model]) -> list[Check]:
    """Return the check constraints of a model's table."""
    cursor.execute(_CHECKS, [quoted_table(model)])
    return [
        Check(
            sql.SQL(condition),
            declared_message(model, name) or messages.violated(name),
            tuple(columns),
        )
        for name, condition, columns in cursor.fetchall()
    ]


def unique_indexes(cursor: psycopg.Cursor[Any], model: type[models.Model]) -> list[UniqueIndex]:
    """Return the unique indexes of a model's table, except that of the primary key."""
    cursor.execute(_UNIQUE, [quoted_table(model)])
    return [
        UniqueIndex(
            tuple(sql.SQL(expression) for expression in expressions),
            sql.SQL(condition) if condition else _ALL,
            nulls_are_equal,
            frozenset(columns),
            declared_message(model, name),
        )
        for name, condition, nulls_are_equal, expressions, columns in cursor.fetchall()
    ]


def generated_columns(
    cursor: psycopg.Cursor[Any], model: type[models.Model]
) -> dict[str, sql.Composable]:
    """Return the SQL of the generated columns of a model's table, without an alias."""
    cursor.execute(_GENERATED, [quoted_table(model)])
    return {name: sql.SQL(expression) for name, expression in cursor.fetchall()}


def quoted_table(model: type[models.Model]) -> str:
    """Return the name of a model's table as SQL, for `to_regclass`."""
    return table_name(model).as_string(None)


def declared_message(model: type[models.Model], name: str) -> str:
    """Return the message that the model declares for a constraint; empty without one."""
    for constraint in _constraints(model):
        if constraint.name == name:
            declared = constraint.violation_error_message
            is_general = declared == constraint.default_violation_error_message
            return "" if is_general else str(constraint.get_violation_error_message())
    return ""


def _constraints(model: type[models.Model]) -> Iterator[Any]:
    yield from concrete_model(model)._meta.constraints
