"""Export types: exports that go by a name, so that a request need not say what they hold.

An installed app declares its types in a module `export_types.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ExportType:
    """A resource's records, as those who ask for them by this name expect them.

    code, name: what requests and people call it.
    resource: the name of the resource.
    columns: the header of each path, in the order of the file.
    date: the column or `<relation>.<column>` that a range of dates applies to.
    order_by: as of a request's options.
    options: filters that always apply, as of a request's options.
    """

    code: str
    name: str
    resource: str
    columns: Mapping[str, str]
    date: str
    order_by: str
    options: Mapping[str, Any] = field(default_factory=dict)


class ExportTypes:
    """Export types by code, in the order of their declaration."""

    def __init__(self) -> None:
        self.declared: list[ExportType] = []

    def register(self, *types: ExportType) -> None:
        """Add types; of two of one code the system checks complain."""
        self.declared.extend(types)

    @property
    def by_code(self) -> Mapping[str, ExportType]:
        return {each.code: each for each in reversed(self.declared)}

    def codes(self) -> list[str]:
        return [each.code for each in self.declared]


export_types = ExportTypes()
