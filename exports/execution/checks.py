"""Database checks: run the statements of every resource and named export on no rows.

`manage.py check --database default` runs them. PostgreSQL then parses and plans each statement that
an export may use, so that a declaration that does not fit the database is found before a request.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from django.core.checks import ERROR, CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, OperationalError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from psycopg import sql

from exports.formats import formats
from exports.formats.base import Rows
from exports.request.parser import parse_export
from exports.spec import ExportSpec
from exports.sql.compiler import compile_export
from longshore.api.errors import InvalidInput
from longshore.resources.checks import check_resource
from longshore.resources.column_types import ColumnType
from longshore.resources.comparisons import Operator, comparison_sql
from longshore.resources.conditions import SEARCH, Condition, where
from longshore.resources.export_types import export_types
from longshore.resources.expressions import ROW
from longshore.resources.filters import Selection
from longshore.resources.listing import Listing
from longshore.resources.reading import settings_of
from longshore.resources.registry import Resource, registry
from longshore.resources.tables import from_item

_NO_ROWS = sql.SQL("false")
_NOBODY = ""
# The PostgreSQL types of each column type.
_TYPES: Mapping[ColumnType, tuple[str, ...]] = {
    ColumnType.TEXT: ("text", "character varying", "character", "citext"),
    ColumnType.INTEGER: ("smallint", "integer", "bigint"),
    ColumnType.DECIMAL: ("numeric", "smallint", "integer", "bigint"),
    ColumnType.FLOAT: ("real", "double precision"),
    ColumnType.BOOLEAN: ("boolean",),
    ColumnType.DATE: ("date",),
    ColumnType.DATETIME: ("timestamp with time zone",),
    ColumnType.JSON: ("jsonb",),
}
# The names of types that differ from those of columns.
_CASTS: Mapping[ColumnType, str] = {
    ColumnType.DECIMAL: "numeric",
    ColumnType.FLOAT: "double precision",
    ColumnType.LIST: "text[]",
    ColumnType.JSON: "jsonb",
}
_SAMPLES: Mapping[ColumnType, str] = {
    ColumnType.TEXT: "a",
    ColumnType.LIST: "a",
    ColumnType.BOOLEAN: "true",
    ColumnType.DATE: "2024-12-25",
    ColumnType.DATETIME: "2024-12-25T00:00:00Z",
    ColumnType.JSON: "{}",
}
_NESTINGS = ("merge", "repeat", "flatten")


@register(Tags.database)
def check_statements(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Run the statements of all resources and named exports. `migrate` runs this check, too."""
    if "default" not in (databases or ()):
        return []
    connection = connections["default"]
    try:
        executor = MigrationExecutor(connection)
        if not executor.loader.applied_migrations:
            return []  # The first `migrate` is about to create the tables.
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            text = (
                "Migrations are not applied: the resources were not checked against the database."
            )
            return [Warning(text, "Run manage.py migrate.", id="exports.W003")]
        with transaction.atomic(connection.alias):
            return [*_problems(connection)]
    except OperationalError as error:
        text = f"The statements of the resources were not checked: {error}".strip()
        return [Error(text, id="exports.E003")]


def _problems(connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    for resource in registry:
        if not any(each.level >= ERROR for each in check_resource(resource)):
            yield from check_statements_of(connection, resource)
    for export_type in export_types.declared:
        for text in _failures(connection, partial(_copies, {"type": export_type.code})):
            yield Error(f"Named export {export_type.code!r}: {text}", id="exports.E002")


def check_statements_of(
    connection: BaseDatabaseWrapper, resource: Resource
) -> Iterator[CheckMessage]:
    """Yield the problems of one resource, which has passed the other checks.

    Call it in a transaction: its settings are those of an export.
    """
    with connection.cursor() as cursor:
        for name, value in settings_of("UTC").items():
            cursor.execute("SELECT set_config(%s, %s, true)", [name, value])
    found = [*_wrong_columns(connection, resource), *_wrong_rules(connection, resource)]
    if not found:
        # With a wrong column, most of these statements would fail, too.
        for texts in (_exports(resource), _lists(resource)):
            for make in texts:
                found += [(each, None) for each in _failures(connection, make)]
    for text, hint in dict(found).items():
        yield Error(f"Resource {resource.name!r}: {text}", hint, resource.model, "exports.E001")


def _wrong_columns(
    connection: BaseDatabaseWrapper, resource: Resource
) -> Iterator[tuple[str, str | None]]:
    """Yield the columns, of the resource and its relations, with an error or another type."""
    owners: list[tuple[str, Any, Iterable[Any]]] = [
        ("", resource.model, resource.filterable_columns.values())
    ]
    owners += [
        (f"{name}.", relation.target, relation.columns.values())
        for name, relation in resource.relations_by_name.items()
    ]
    for prefix, model, columns in owners:
        for column in columns:
            name = f"column {prefix + column.name!r}: "
            statement = sql.SQL("SELECT {} FROM {} WHERE false").format(
                column.value(ROW), from_item(model, ROW)
            )
            error, kind = _run(connection, statement)
            if error:
                hint = "Correct the declaration of the column, or migrate the database."
                yield name + error, hint
            elif not _fits(column.kind, kind):
                text = (
                    f"{name}its PostgreSQL type is {kind}, but the column is declared as "
                    f"{column.kind}."
                )
                hint = (
                    f"Declare a column with the same name that casts it: Column({column.name!r}, "
                    f'ColumnType.{column.kind.name}, "{_cast(column.kind, kind, column.name)}").'
                )
                yield text, None if prefix else hint


def _wrong_rules(
    connection: BaseDatabaseWrapper, resource: Resource
) -> Iterator[tuple[str, str | None]]:
    """Yield the rules of batches with an error. PostgreSQL accepts only a boolean after WHERE."""
    for rule in resource.rules:
        condition = sql.SQL(rule.condition).format(row=sql.Identifier("record"))
        error, _ = _run(
            connection,
            sql.SQL("EXPLAIN SELECT FROM {} WHERE {}").format(
                from_item(resource.model, "record"), condition
            ),
        )
        if error:
            hint = "Write an SQL expression of a boolean, with the columns of the table of {row}."
            yield f"rule {rule.message!r}: {error}", hint


def _cast(kind: ColumnType, db_type: str, name: str) -> str:
    """Return an example of an expression with the type of a column."""
    stored = f"{{row}}.{name}"
    if kind is ColumnType.DATETIME:
        return f"{stored} AT TIME ZONE 'UTC'"
    if db_type == "bytea":
        return f"encode({stored}, 'base64')"
    return f"{stored}::{_CASTS.get(kind, kind.value)}"


def _fits(kind: ColumnType, db_type: str) -> bool:
    if kind is ColumnType.LIST:
        return db_type.endswith("[]")
    return db_type.partition("(")[0] in _TYPES[kind] or (
        # With a precision, the name of a type continues after it.
        kind is ColumnType.DATETIME and db_type.endswith("with time zone")
    )


def _exports(resource: Resource) -> Iterator[Callable[[], Iterator[sql.Composable]]]:
    """Yield functions that return the statements of exports: all columns, in every format."""
    for name, file_format in formats.items():
        nestings = (None,) if file_format.rows is Rows.JSON else _NESTINGS
        for nesting in nestings:
            body: dict[str, Any] = {"resource": resource.name, "format": name}
            if nesting:
                body["csv_field_options"] = {"properties": nesting}
            yield partial(_copies, body)
    for path in resource.includable:
        body = {"resource": resource.name, "includes": [path]}
        yield partial(_copies, body | {"format": "json"})
        # The only kind of table that shows the records of every relation.
        table = {"format": "csv", "csv_field_options": {"properties": "repeat"}}
        yield partial(_copies, body | table)


def _copies(body: Mapping[str, Any]) -> Iterator[sql.Composable]:
    spec: ExportSpec = parse_export(body)
    yield compile_export(spec, _NOBODY, partition=_NO_ROWS).copy


def _lists(resource: Resource) -> Iterator[Callable[[], Iterator[sql.Composable]]]:
    """Yield functions that return the statements of lists, of each filter and of each order."""

    def pages() -> Iterator[sql.Composable]:
        statement = Listing(resource, Selection(), resource.names).statement(_NOBODY, 1, None)
        yield sql.SQL("EXPLAIN {}").format(statement)

    yield pages
    if resource.search_column is not None:
        conditions = (Condition(SEARCH, Operator.EQUALS, ("a",)),)

        def search() -> Iterator[sql.Composable]:
            yield sql.SQL("EXPLAIN SELECT FROM {} WHERE {}").format(
                from_item(resource.model, ROW), where(resource, _NOBODY, conditions, ROW)
            )

        yield search
    for column in resource.filterable_columns.values():

        def compare(column: Any = column) -> Iterator[sql.Composable]:
            value = column.choices[0] if column.choices else _SAMPLES.get(column.kind, "1")
            if column.kind in (ColumnType.TEXT, ColumnType.LIST, ColumnType.BOOLEAN):
                operators: tuple[Operator, ...] = (Operator.IN, Operator.IS_NULL)
            else:
                operators = (Operator.IN, Operator.IS_NULL, Operator.GTE)
            if column.kind is ColumnType.JSON:
                operators = operators[:2]
            for operator in operators:
                test = comparison_sql(
                    column.value(ROW), column.kind, operator, (value,), column.order
                )
                yield sql.SQL("EXPLAIN SELECT FROM {} WHERE {}").format(
                    from_item(resource.model, ROW), test
                )
            if column.kind.sortable:
                yield sql.SQL("EXPLAIN SELECT FROM {} ORDER BY {}").format(
                    from_item(resource.model, ROW), column.ordered(ROW)
                )

        yield compare


def _failures(
    connection: BaseDatabaseWrapper, make: Callable[[], Iterator[sql.Composable]]
) -> Iterator[str]:
    """Yield why statements cannot be made or run."""
    try:
        for statement in make():
            error, _ = _run(connection, statement)
            if error:
                yield error
    except InvalidInput as invalid:
        yield from (f"{each.field}: {each.message}" for each in invalid.problems)
    except OperationalError:
        raise
    except Exception as error:  # Another resource, which it includes, may be wrong.
        yield f"{type(error).__name__}: {error}"


def _run(connection: BaseDatabaseWrapper, statement: sql.Composable) -> tuple[str, str]:
    """Run a statement that reads no rows. Return its error, and the type of its first column.

    Raises OperationalError if the database cannot be reached any more.
    """
    text = statement.as_string(None)
    try:
        with transaction.atomic(connection.alias), connection.cursor() as cursor:
            if text.startswith("COPY"):
                with cursor.cursor.copy(text) as copy:
                    for _ in copy:
                        pass
                return "", ""
            cursor.execute(text)
            return "", _type_of(cursor)
    except OperationalError:
        raise
    except DatabaseError as error:
        return str(error).strip().partition("\n")[0] + ".", ""


def _type_of(cursor: Any) -> str:
    if not cursor.description:
        return ""
    code = cursor.description[0].type_code
    cursor.execute("SELECT format_type(%s, NULL)", [code])
    return str(cursor.fetchone()[0])
