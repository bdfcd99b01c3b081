"""Named filters: filters that a resource declares and that are not columns."""

from dataclasses import dataclass
from functools import cached_property

from longshore.resources.columns import Column, ColumnType
from longshore.resources.declared_types import convert_lists


@dataclass(frozen=True)
class NamedFilter:
    """A filter of `options` and lists that is not a column. Declares paths or an expression.

    description: what the filter selects, for the API's description.
    paths: other filters; a row passes if it passes at least one of them.
    kind, expression: type and SQL of the value to filter by, as of a `Column`.
    inclusive: if true, the value `false` excludes rows whose expression is true, and the value
        `true` excludes nothing.
    """

    name: str
    description: str
    paths: tuple[str, ...] = ()
    kind: ColumnType = ColumnType.BOOLEAN
    expression: str = ""
    inclusive: bool = False

    def __post_init__(self) -> None:
        convert_lists(self)

    @cached_property
    def column(self) -> Column:
        """The computed column of a filter that has no paths."""
        return Column(
            self.name, self.kind, self.expression, nullable=False, description=self.description
        )
