"""Named exports: presets of resource, columns, filters and order.

An installed app declares its named exports in a module `export_types.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from longshore.resources.declared_types import wrong_types


@dataclass(frozen=True)
class ExportType:
    """A named export of one resource.

    code: the name in requests. name: the name for people.
    resource: name of the resource.
    columns: header of each path, in the order of the file.
    date: the column, or `<relation>.<column>`, that `date_from` and `date_to` filter; None for
        records without a date.
    order_by: the order, in the syntax of the request's `options`.
    options: filters that always apply, in the syntax of the request's `options`.
    """

    code: str
    name: str
    resource: str
    columns: Mapping[str, str]
    date: str | None
    order_by: str
    options: Mapping[str, Any] = field(default_factory=dict)


class ExportTypes:
    """The declared named exports, in the order of their declaration.

    unusable: declarations with an attribute of a wrong type.
    """

    def __init__(self) -> None:
        self.declared: list[ExportType] = []
        self.unusable: list[ExportType] = []

    def register(self, *types: ExportType) -> None:
        """Add named exports. System checks report duplicate codes, and wrong types.

        Raises TypeError for an object that is not a named export.
        """
        for each in types:
            if not isinstance(each, ExportType):
                raise TypeError(f"register() accepts an ExportType(…), not {each!r}")
            (self.unusable if any(wrong_types(each)) else self.declared).append(each)

    @property
    def by_code(self) -> Mapping[str, ExportType]:
        return {each.code: each for each in reversed(self.declared)}

    def codes(self) -> list[str]:
        return [each.code for each in self.declared]


export_types = ExportTypes()
