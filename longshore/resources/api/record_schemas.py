"""Schemas of records for the API description."""

from collections.abc import Callable
from typing import Any

from longshore.resources.columns import Column, ColumnType
from longshore.resources.registry import Resource

_TYPES: dict[ColumnType, dict[str, Any]] = {
    ColumnType.TEXT: {"type": "string"},
    ColumnType.INTEGER: {"type": "integer"},
    ColumnType.DECIMAL: {"type": "number"},
    ColumnType.FLOAT: {"type": "number"},
    ColumnType.BOOLEAN: {"type": "boolean"},
    ColumnType.DATE: {"type": "string", "format": "date"},
    ColumnType.DATETIME: {"type": "string", "format": "date-time"},
    ColumnType.LIST: {"type": "array", "items": {}},
}


def component_name(name: str) -> str:
    """Return the name of the schema of a resource or a relation: `line_item` becomes `LineItem`."""
    return "".join(word.capitalize() for word in name.split("_"))


def record_schema(
    resource: Resource,
    component: Callable[[str, dict[str, Any]], dict[str, Any]] = lambda name, schema: schema,
) -> dict[str, Any]:
    """Return the schema of a record with all its fields; `fields` selects among them.

    component: registers the schema of a relation under a name and returns the reference to it.
        Without names, generators of clients would number the classes. Default: no reference.
    """
    properties = {name: _value(column) for name, column in resource.columns_by_name.items()}
    for name, relation in resource.relations_by_name.items():
        fields = {field: _value(relation.columns[field]) for field in relation.fields}
        related = component(
            f"{component_name(resource.name)}{component_name(name)}Summary",
            {"type": "object", "properties": fields},
        )
        either = {"oneOf": [related, {"type": "null"}]}
        properties[name] = {"type": "array", "items": related} if relation.many else either
    return {"type": "object", "properties": properties}


def _value(column: Column) -> dict[str, Any]:
    schema = dict(_TYPES.get(column.kind, {}))
    if "type" in schema and column.nullable:
        schema["type"] = [schema["type"], "null"]
    if column.description:
        schema["description"] = column.description
    return schema
