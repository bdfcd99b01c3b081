"""The types of columns."""

from enum import StrEnum


class ColumnType(StrEnum):
    """The type of a column. Determines its operators, its JSON type and its text form."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    LIST = "list"
    JSON = "json"

    @property
    def sortable(self) -> bool:
        return self not in (ColumnType.LIST, ColumnType.JSON)

    @property
    def numeric(self) -> bool:
        return self in (ColumnType.INTEGER, ColumnType.DECIMAL, ColumnType.FLOAT)
