"""Declares the body of a request for an export.

The parser reads by this declaration; the OpenAPI schema and the documentation are derived from it.
"""

from collections.abc import Mapping
from typing import Any

from exports.formats import formats
from exports.request.file_presets import FilePreset
from exports.spec import OUTPUT, Nesting
from longshore.api.body.declaration import (
    Body,
    Boolean,
    Choice,
    Custom,
    FreeObject,
    Integer,
    Object,
)
from longshore.api.errors import ErrorCode
from longshore.database.column_types import MAX_BIGINT
from longshore.database.texts import MAX_NAME_BYTES
from longshore.files.compression import Compression
from longshore.files.csv_dialect import DECIMAL_SEPARATORS, DELIMITERS, LINE_ENDS, Quoting
from longshore.jobs.errors import JobErrorCode
from longshore.jobs.request_fields import (
    datetime_format_field,
    metadata_field,
    timezone_field,
)
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.export_types import export_types
from longshore.resources.filters import DIRECTION, LIMIT, ORDER_BY, filter_names
from longshore.resources.registry import registry

PRESET = "preset"
TYPE, DATE_FROM, DATE_TO = "type", "date_from", "date_to"
# The value of `columns` that selects every column.
ALL_COLUMNS = "all"
# JSON keys are column names of the query.
MAX_HEADER_BYTES = MAX_NAME_BYTES

_STRING = {"type": "string"}
_STRINGS = {"type": "array", "items": _STRING}
_HEADER = {"oneOf": [{"type": "boolean"}, {"type": "string", "maxLength": MAX_HEADER_BYTES}]}


OUTPUT_OPTIONS = Body(
    "OutputOptions",
    "How the file shows the records.",
    (
        Custom(
            "columns",
            "The columns of the file: a list of names, or an object of names. In an object, `true` "
            "keeps the name as the header, a string replaces it, and `false` leaves the column "
            "out. A relation (`location`) and a field of a relation (`location.name`) are columns. "
            f"`{ALL_COLUMNS}` selects every column. Default: the `default_columns` of the "
            "resource in CSV and XLSX, otherwise every column.",
            schema={
                "oneOf": [
                    {"type": "object", "additionalProperties": _HEADER},
                    _STRINGS,
                    {"const": ALL_COLUMNS},
                ]
            },
            accepts=f"an object or a list of names, or {ALL_COLUMNS}",
        ),
        Custom(
            "column_order",
            "Selected columns that come first, in this order. The others follow in the order of "
            "`columns`.",
            schema=_STRINGS,
            accepts="a list of selected columns",
        ),
        timezone_field(
            "An IANA time zone. It applies to the whole request: to datetimes in the file, and to "
            "dates and times without an offset in filters, `date_from` and `date_to`. Default: the "
            "organization's time zone.",
        ),
        datetime_format_field(
            "An LDML pattern such as `MM/dd/yyyy hh:mm:ss a`. Default: ISO 8601."
        ),
        Choice(
            "properties",
            "How a cell shows a value with several parts, such as a relation or a JSON object. "
            "JSON formats always keep the structure.",
            choices=[each.value for each in Nesting],
            default=Nesting.MERGE.value,
            code=JobErrorCode.INVALID_FORMAT,
        ),
        Boolean(
            "include_header",
            "CSV and XLSX: begin the file with a row of column names.",
            default=True,
        ),
        Boolean(
            "escape_formulas",
            "CSV and XLSX: prefix text that a spreadsheet would run as a formula with an "
            "apostrophe.",
            default=True,
        ),
        Boolean(
            "labels",
            "CSV and XLSX: show choices (`Delivered`) and the names of columns as people read "
            "them, in the language of the project.",
            default=False,
        ),
        Choice("delimiter", "CSV: the delimiter of cells.", choices=DELIMITERS, default=","),
        Choice(
            "quoting",
            "CSV: `minimal` quotes the cells that need quotes, `all` every cell but null.",
            choices=[each.value for each in Quoting],
            default=Quoting.MINIMAL.value,
        ),
        Boolean(
            "bom",
            "CSV: begin the file with a byte order mark, by which Excel recognizes UTF-8.",
            default=False,
        ),
        Choice("line_end", "CSV: the end of each line.", choices=LINE_ENDS, default="\n"),
        Choice(
            "decimal_separator",
            "CSV: the decimal separator of numbers.",
            choices=DECIMAL_SEPARATORS,
            default=".",
        ),
        Choice(
            PRESET,
            "CSV: `excel` opens in Excel as it is: with a byte order mark, a semicolon as "
            "delimiter if `decimal_separator` is a comma, datetimes that Excel knows, and texts "
            'such as `00123` as `="00123"`. `iso` is for programs. Other options apply before it. '
            "Default: `excel` for named exports, otherwise `iso`.",
            choices=[each.value for each in FilePreset],
        ),
    ),
    null_is_absent=True,
)


def _elsewhere(given: Mapping[str, Any], name: str) -> str | None:
    """Return the path of an option of the output, or of a filter, at the top of a request."""
    if name in OUTPUT_OPTIONS.names:
        return f"{OUTPUT}.{name}"
    resource = registry.get(str(given.get("resource")))
    filters = filter_names(resource) if resource else ()
    return f"options.{name}" if name in (*filters, ORDER_BY, DIRECTION, LIMIT) else None


EXPORT_BODY = Body(
    "ExportRequest",
    "Which records to export, and how the file shows them.",
    (
        Choice(
            "resource",
            "The resource to export. Required unless `type` is set.",
            choices=registry.names,
            noun="resource",
            fixed_wording="Unsupported resource type: ",
            code=ResourceErrorCode.INVALID_RESOURCE,
        ),
        Choice(
            TYPE,
            "A named export with its own columns and order: see `/v1/exports/types`.",
            choices=export_types.codes,
            noun="named export",
            code=ResourceErrorCode.INVALID_TYPE,
        ),
        Custom(
            DATE_FROM,
            "Only records of this date or later. It applies to the date of the `type`, otherwise "
            "to the date of the resource, and is in the time zone of the request unless it has an "
            "offset.",
            schema=_STRING,
            accepts="a date or datetime",
        ),
        Custom(
            DATE_TO,
            "Only records of this date or earlier. The end is included, to the precision in which "
            "it is written: `2025-03-31` includes that day, `2025-03-31T23:59:59Z` that second.",
            schema=_STRING,
            accepts="a date or datetime",
        ),
        FreeObject(
            "options",
            "Filters by column name (`status`, `metadata.service`, `group_id`, `location.name`, "
            "`search`): a value, a comma-separated list, or `operator:value`. Also `order_by`, "
            "`direction`, and `limit`, which is a number or `all`.",
        ),
        FreeObject(
            "filters",
            "Predicates that rows must pass in addition to `options`: `<attribute>_<matcher>` "
            "(`status_in`, `tracking_number_or_order_number_cont`, `location_name_start`) with the "
            "value to match.",
        ),
        Choice(
            "format",
            "The format of the file.",
            choices=lambda: list(formats),
            default="csv",
            code=JobErrorCode.INVALID_FORMAT,
        ),
        Choice(
            "compression",
            "The compression of the file. Parquet and XLSX files are always compressed inside.",
            choices=[each.value for each in Compression],
            default=Compression.NONE.value,
            code=JobErrorCode.INVALID_COMPRESSION,
        ),
        Custom(
            "includes",
            "Relations whose records the file contains in full (`location`, `groups.location`); "
            "the resource lists them. Of other relations the file contains the ids. JSON nests "
            "included records at any level; a table holds one level.",
            schema=_STRINGS,
            accepts="a list of paths",
        ),
        Custom(
            "fields",
            "The fields to export, also of included relations: `name`, `groups.*`, "
            "`groups.location.name`; `*` is every column. An alternative to "
            f"`{OUTPUT}.columns`.",
            schema=_STRINGS,
            accepts="a list of paths",
        ),
        Boolean(
            "dry_data",
            "Leave out values that another organization cannot import or does not need: ids, "
            "creation and update times, formatted amounts, and in JSON null and empty values. The "
            "default is every other column of the record.",
            default=False,
        ),
        Object(OUTPUT, body=OUTPUT_OPTIONS),
        Integer(
            "max_rows_per_file",
            "Begin a new file, with its own header, after this number of rows.",
            minimum=1,
            maximum=MAX_BIGINT,
            code=ErrorCode.INVALID_LIMIT,
        ),
        Choice(
            "empty",
            "`error` rejects a request that matches no records.",
            choices=["allow", "error"],
            default="allow",
        ),
        Boolean(
            "dedupe",
            "Return an unfinished export with the same specification, with status 200, if one "
            "exists.",
            default=False,
        ),
        metadata_field("export"),
    ),
    # `/v1/exports/types` shows both names.
    aliases={"code": TYPE},
    elsewhere=_elsewhere,
    null_is_absent=True,
)
