"""Named filters: names of filters that are declared with a resource and are not columns of it."""

from dataclasses import dataclass
from functools import cached_property

from longshore.resources.columns import Column, ColumnType


@dataclass(frozen=True)
class NamedFilter:
    """A filter of `options` and lists that is not a column.

    description: what it selects, for the API's description.
    paths: filters that it stands for, instead of `expression`; a row passes if it passes one.
    kind, expression: the value that it filters by, as of a `Column`.
    inclusive: `false` excludes the rows for which the expression is true; `true` excludes none.
    """

    name: str
    description: str
    paths: tuple[str, ...] = ()
    kind: ColumnType = ColumnType.BOOLEAN
    expression: str = ""
    inclusive: bool = False

    @cached_property
    def column(self) -> Column:
        """The value that it filters by, where it stands for no other filters."""
        return Column(
            self.name, self.kind, self.expression, nullable=False, description=self.description
        )
