"""Tables of models as SQL: stored columns, unique columns, and images of rows.

An image is the JSON object of a row's stored columns, as the journal keeps it. Its member `xmin`
is the transaction that wrote the row. Null and the JSON value `null` are both `null` in it; the
member with the empty name lists the columns that held the latter.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import Model, UniqueConstraint
from psycopg import sql

from longshore.database.column_types import db_type, sql_type
from longshore.database.tables import table_name
from longshore.resources.columns import AnyField, column_name, primary_key
from longshore.resources.tables import concrete_model

# The member of an image with the version of the row: no column can have this name.
VERSION = "xmin"
_JSON_NULLS = sql.SQL("''")


@dataclass(frozen=True)
class Table:
    """The table of a model."""

    model: type[Model]

    @property
    def _options(self) -> Any:
        """The options of the model that has the table: a proxy model has no fields of its own."""
        return concrete_model(self.model)._meta

    @property
    def label(self) -> str:
        return self.model._meta.db_table

    @property
    def name(self) -> sql.SQL:
        return table_name(self.model)

    @property
    def key(self) -> str:
        """The column of the primary key."""
        return primary_key(self.model)

    @property
    def key_type(self) -> sql.SQL:
        """The type of a reference to the primary key."""
        return sql_type(self.model._meta.pk)

    @cached_property
    def fields(self) -> dict[str, AnyField]:
        """The fields of the stored columns that are not generated, by column."""
        return {
            column_name(field): field
            for field in self._options.local_concrete_fields
            if not field.generated
        }

    @cached_property
    def unique(self) -> list[tuple[str, ...]]:
        """The unique constraints, as tuples of columns, without the primary key."""
        options = self._options
        constraints = (each for each in options.constraints if isinstance(each, UniqueConstraint))
        sets: list[Iterable[str]] = [
            *([field.name] for field in options.local_fields if field.unique),
            *options.unique_together,
            *(each.fields for each in constraints if each.fields and each.condition is None),
        ]
        columns = [tuple(column_name(options.get_field(name)) for name in each) for each in sets]
        return [each for each in columns if each != (self.key,)]

    def image(self, row: str) -> sql.Composable:
        """Return the image of the row of the table's alias `row`."""
        columns = [sql.Identifier(row, name) for name in (*self.fields, VERSION)]
        image: sql.Composable = sql.SQL(
            "(SELECT to_jsonb(image.*) FROM (SELECT {} OFFSET 0) AS image)"
        ).format(sql.SQL(", ").join(columns))
        if not self._json_columns:
            return image
        json_columns = [sql.Identifier(row, name) for name in self._json_columns]
        nulls = [
            sql.SQL("CASE WHEN {} = 'null' THEN {} END").format(column, sql.Literal(name))
            for column, name in zip(json_columns, self._json_columns, strict=True)
        ]
        return sql.SQL(
            "CASE WHEN 'null'::jsonb IN ({0}) THEN {1} || jsonb_build_object("
            "{2}, array_remove(ARRAY[{3}], NULL)) ELSE {1} END"
        ).format(sql.SQL(", ").join(json_columns), image, _JSON_NULLS, sql.SQL(", ").join(nulls))

    def restored(self, name: str, row: str, image: sql.Composable) -> sql.Composable:
        """Return the value of a column in an image.

        row: alias of the record that `jsonb_populate_record` made of the image.
        """
        value: sql.Composable = sql.Identifier(row, name)
        if name not in self._json_columns:
            return value
        return sql.SQL("CASE WHEN {} -> {} ? {} THEN 'null'::jsonb ELSE {} END").format(
            image, _JSON_NULLS, sql.Literal(name), value
        )

    @cached_property
    def _json_columns(self) -> list[str]:
        return [name for name, field in self.fields.items() if db_type(field) == "jsonb"]


def names(columns: "list[str] | tuple[str, ...]") -> sql.Composable:
    """Return a list of columns."""
    return sql.SQL(", ").join(map(sql.Identifier, columns))
