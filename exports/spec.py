"""ExportSpec: the validated request that the compiler executes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from longshore.files.compression import Compression
from longshore.files.csv_dialect import CsvDialect, Quoting
from longshore.resources.comparisons import Operator
from longshore.resources.conditions import AnyOf, Condition
from longshore.resources.filters import Ordering, Selection
from longshore.resources.includes import Include


class Nesting(StrEnum):
    """How a row shows what has parts: in one cell, in a column for each, or in a row for each."""

    MERGE = "merge"
    FLATTEN = "flatten"
    REPEAT = "repeat"


@dataclass(frozen=True)
class OutputColumn:
    """A column of the file: what it shows, and what stands over it."""

    path: str
    header: str


# Where a request names its time zone.
TIMEZONE_FIELD = "csv_field_options.timezone"


@dataclass(frozen=True)
class ExportSpec:
    """A validated request; `to_json` and `from_json` are exact inverses.

    columns: in the order of the file; at least one.
    includes: the relations among them whose records are shown whole.
    omit_empty: of a record in JSON, leave out what is null or empty.
    warnings: what was asked for and the file has not, in sentences for people.
    timezone: an IANA name; every datetime is shown in it.
    datetime_format: an LDML pattern; None is ISO 8601 with microseconds and offset.
    include_header: write the names of the columns, where the format has a place for them.
    escape_formulas: an apostrophe before text that a spreadsheet would run.
    max_rows_per_file: where a new file begins; None is one file for all.
    refuse_empty: nothing to export is an error.
    """

    resource: str
    columns: tuple[OutputColumn, ...]
    selection: Selection
    format: str
    compression: Compression = Compression.NONE
    nesting: Nesting = Nesting.MERGE
    timezone: str = "UTC"
    datetime_format: str | None = None
    include_header: bool = True
    escape_formulas: bool = True
    dialect: CsvDialect = field(default_factory=CsvDialect)
    max_rows_per_file: int | None = None
    refuse_empty: bool = False
    includes: tuple[Include, ...] = ()
    omit_empty: bool = False
    warnings: tuple[str, ...] = ()

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
            # Specs stored by earlier versions have none of these.
            include_header=data.get("include_header", True),
            escape_formulas=data.get("escape_formulas", True),
            dialect=_dialect(data.get("dialect", {})),
            max_rows_per_file=data.get("max_rows_per_file"),
            refuse_empty=data.get("refuse_empty", False),
            includes=tuple(map(Include.from_json, data.get("includes", ()))),
            omit_empty=data.get("omit_empty", False),
            warnings=tuple(data.get("warnings", ())),
        )


def _dialect(data: Mapping[str, Any]) -> CsvDialect:
    return CsvDialect(**{**data, "quoting": Quoting(data["quoting"])}) if data else CsvDialect()


def _condition(data: Mapping[str, Any]) -> Condition:
    return Condition(data["path"], Operator(data["operator"]), tuple(data["values"]))


def _selection(data: Mapping[str, Any]) -> Selection:
    conditions = (
        AnyOf(tuple(map(_condition, item["any_of"]))) if "any_of" in item else _condition(item)
        for item in data["conditions"]
    )
    ordering = (Ordering(**item) for item in data["ordering"])
    return Selection(tuple(conditions), tuple(ordering), data["limit"])
