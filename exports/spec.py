"""ExportSpec: the validated request that the compiler executes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from longshore.files.compression import Compression
from longshore.files.csv_dialect import CsvDialect, Quoting
from longshore.jobs.specs import Spec
from longshore.resources.comparisons import Operator
from longshore.resources.conditions import AnyOf, Condition
from longshore.resources.filters import Ordering, Selection
from longshore.resources.includes import Include


class Nesting(StrEnum):
    """How a row shows nested values: in one cell, in a column each, or in a row each."""

    MERGE = "merge"
    FLATTEN = "flatten"
    REPEAT = "repeat"


@dataclass(frozen=True)
class OutputColumn:
    """A column of the file: the path of its value, and its header."""

    path: str
    header: str


# The field of a request that says how the file shows the records, and paths of fields inside it.
OUTPUT = "csv_field_options"
TIMEZONE_FIELD = f"{OUTPUT}.timezone"
PROPERTIES_FIELD = f"{OUTPUT}.properties"


@dataclass(frozen=True)
class ExportSpec(Spec):
    """A validated request.

    columns: in the order of the file; at least one.
    includes: the relations among the columns whose records are embedded.
    omit_empty: leave null and empty values out of JSON records.
    warnings: sentences about parts of the request that the file leaves out.
    timezone: an IANA name; every datetime is shown in it.
    datetime_format: an LDML pattern; None for ISO 8601 with microseconds and offset.
    include_header: write the header row, if the format has one.
    escape_formulas: write an apostrophe before text that a spreadsheet would run as a formula.
    labels: show the labels of choices, and of columns without a header in the request.
    max_rows_per_file: maximum of rows in each file; None for one file.
    refuse_empty: fail if no records match.
    max_records: fail if more records match; None for the limit of the organization only.
    """

    version = 1

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
    labels: bool = False
    max_rows_per_file: int | None = None
    refuse_empty: bool = False
    includes: tuple[Include, ...] = ()
    omit_empty: bool = False
    warnings: tuple[str, ...] = ()
    max_records: int | None = None

    @classmethod
    def _from_members(cls, data: Mapping[str, Any]) -> "ExportSpec":
        return cls(
            resource=data["resource"],
            columns=tuple(OutputColumn(**column) for column in data["columns"]),
            selection=_selection(data["selection"]),
            format=data["format"],
            compression=Compression(data["compression"]),
            nesting=Nesting(data["nesting"]),
            timezone=data["timezone"],
            datetime_format=data["datetime_format"],
            include_header=data["include_header"],
            escape_formulas=data["escape_formulas"],
            dialect=_dialect(data["dialect"]),
            max_rows_per_file=data["max_rows_per_file"],
            refuse_empty=data["refuse_empty"],
            includes=tuple(map(Include.from_json, data["includes"])),
            omit_empty=data["omit_empty"],
            warnings=tuple(data["warnings"]),
            # Specs of version 0.1.0 do not have these.
            max_records=data.get("max_records"),
            labels=data.get("labels", False),
        )


def _dialect(data: Mapping[str, Any]) -> CsvDialect:
    return CsvDialect(**{**data, "quoting": Quoting(data["quoting"])})


def _condition(data: Mapping[str, Any]) -> Condition:
    return Condition(data["path"], Operator(data["operator"]), tuple(data["values"]))


def _selection(data: Mapping[str, Any]) -> Selection:
    conditions = (
        AnyOf(tuple(map(_condition, item["any_of"]))) if "any_of" in item else _condition(item)
        for item in data["conditions"]
    )
    ordering = (Ordering(**item) for item in data["ordering"])
    return Selection(tuple(conditions), tuple(ordering), data["limit"])
