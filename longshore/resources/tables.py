"""FROM items of models: a table, joined with the tables of parents in multi-table inheritance."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Model
from psycopg import sql

from longshore.database.tables import table_name
from longshore.resources.columns import column_name


def from_item(model: type[Model], row: str) -> sql.Composable:
    """Return a FROM item with the alias `row` that has the columns of all fields of a model."""
    inherited = inherited_fields(model)
    if not inherited:
        return sql.SQL("{} AS {}").format(table_name(model), sql.Identifier(row))
    aliases: dict[type[Model], str] = {concrete_model(model): "own"}
    joins: list[sql.Composable] = []
    for field in inherited:
        joins += _joins(concrete_model(model), field.model, aliases)
    columns = [
        sql.SQL("own.*"),
        *(sql.Identifier(aliases[field.model], column_name(field)) for field in inherited),
    ]
    # PostgreSQL pulls such a sub-select up, so indexes of all tables serve its conditions.
    return sql.SQL("(SELECT {} FROM {} AS own{}) AS {}").format(
        sql.SQL(", ").join(columns),
        table_name(model),
        sql.SQL("").join(joins),
        sql.Identifier(row),
    )


def inherited_fields(model: type[Model]) -> list[Any]:
    """Return the fields whose columns are in the tables of parent models."""
    own = model._meta.db_table
    return [each for each in model._meta.concrete_fields if each.model._meta.db_table != own]


def concrete_model(model: type[Model]) -> type[Model]:
    """Return the model that has the table and the constraints; that of a proxy model is another."""
    concrete: type[Model] = model._meta.concrete_model or model
    return concrete


def _joins(
    model: type[Model], ancestor: type[Model], aliases: dict[type[Model], str]
) -> Iterator[sql.Composable]:
    """Yield the joins that lead to an ancestor's table. Adds the aliases of the joined tables."""
    for step in model._meta.get_path_to_parent(ancestor):
        child, parent = (
            concrete_model(options.model) for options in (step.from_opts, step.to_opts)
        )
        if parent in aliases:
            continue
        aliases[parent] = f"parent{len(aliases)}"
        link: Any = step.join_field
        yield sql.SQL(" JOIN {} AS {} ON {} = {}").format(
            table_name(parent),
            sql.Identifier(aliases[parent]),
            sql.Identifier(aliases[parent], column_name(step.target_fields[0])),
            sql.Identifier(aliases[child], column_name(link)),
        )
