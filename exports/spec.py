"""What was asked for: one frozen object that every way of asking builds and only we compile."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from resources.conditions import Condition, Operator
from resources.filters import Ordering, Selection


class Nesting(StrEnum):
    """How a cell shows what has parts."""

    MERGE = "merge"


class Compression(StrEnum):
    NONE = "none"
    GZIP = "gzip"


@dataclass(frozen=True)
class OutputColumn:
    """A column of the file: what it shows, and what stands over it."""

    path: str
    header: str


@dataclass(frozen=True)
class ExportSpec:
    """A validated request; `to_json` and `from_json` are exact inverses.

    columns: in the order of the file; at least one.
    timezone: an IANA name; every datetime is shown in it.
    datetime_format: an LDML pattern; None is ISO 8601 with microseconds and offset.
    """

    resource: str
    columns: tuple[OutputColumn, ...]
    selection: Selection
    format: str
    compression: Compression = Compression.NONE
    nesting: Nesting = Nesting.MERGE
    timezone: str = "UTC"
    datetime_format: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "ExportSpec":
        return cls(
            resource=data["resource"],
            columns=tuple(OutputColumn(**column) for column in data["columns"]),
            selection=_selection(data["selection"]),
            format=data["format"],
            compression=Compression(data["compression"]),
            nesting=Nesting(data["nesting"]),
            timezone=data["timezone"],
            datetime_format=data["datetime_format"],
        )


def _selection(data: Mapping[str, Any]) -> Selection:
    conditions = (
        Condition(item["path"], Operator(item["operator"]), tuple(item["values"]))
        for item in data["conditions"]
    )
    ordering = (Ordering(**item) for item in data["ordering"])
    return Selection(tuple(conditions), tuple(ordering), data["limit"])
