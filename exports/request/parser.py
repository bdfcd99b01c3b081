"""From the body of a request to a spec; everything that is wrong is said at once."""

import json
from collections.abc import Mapping
from typing import Any

from exports.formats import formats
from exports.formats.base import Rows
from exports.request.column_selection import ColumnChoice
from exports.request.includes import Included, Including
from exports.request.presets import FROM, TO, TYPE, Preset
from exports.spec import (
    TIMEZONE_FIELD,
    ExportSpec,
    Nesting,
    OutputColumn,
)
from longshore.api.errors import ErrorCode, InvalidInput, Problems, shortened
from longshore.files.compression import Compression
from longshore.files.csv_dialect import DELIMITERS, LINE_ENDS, CsvDialect, Quoting
from longshore.files.datetime_patterns import (
    ACCEPTED,
    InvalidPattern,
    check_pattern,
    suggest_pattern,
)
from longshore.resources.filters import Selection
from longshore.resources.predicates import parse_selection
from longshore.resources.registry import Resource, registry
from longshore.resources.timezones import UTC, Zone, is_zone, unknown_zone
from longshore.resources.values import display_value

FIELDS = (
    *("resource", TYPE, FROM, TO, "format", "compression"),
    *("options", "filters", "csv_field_options", "includes", "fields", "dry_data"),
    *("max_rows_per_file", "empty", "dedupe", "metadata"),
)
OUTPUT_FIELDS = ("timezone", "datetime_format", "columns", "column_order", "properties")
# Of those formats only that name them among their options.
FORMAT_FIELDS = ("include_header", "escape_formulas", "delimiter", "quoting", "bom", "line_end")

# What to do about nothing.
EMPTY = ["allow", "error"]
_MAX_ROWS = 2**63
MAX_METADATA_CHARACTERS = 10_000


def parse_export(body: Mapping[str, Any], timezone: str = "UTC") -> ExportSpec:
    """The spec of a request's body.

    timezone: an IANA name, of the organization; it governs a request that names no other.
    Raises InvalidInput with every problem.
    """
    preset = Preset.of(body, _zone(body, timezone))
    try:
        spec = _Parser(preset.body, timezone).spec()
    except InvalidInput as invalid:
        untyped = any(problem.field == TYPE for problem in preset.problems)
        # Without its type, the request may not say of which resource it is.
        found = [each for each in invalid.problems if not (untyped and each.field == "resource")]
        raise InvalidInput(*preset.problems, *found) from None
    if preset.problems:
        raise InvalidInput(*preset.problems)
    return preset.applied(spec)


class _Parser:
    """Reads one body; collects problems as it goes."""

    def __init__(self, body: Mapping[str, Any], timezone: str) -> None:
        self.default_timezone = timezone
        self.problems = Problems()
        self.body = _present(body)
        self.unknown(body, "", FIELDS)
        self.options = self.mapping("options")
        self.filters = self.mapping("filters")
        output = self.mapping("csv_field_options")
        self.output = _present(output)
        self.unknown(output, "csv_field_options.", OUTPUT_FIELDS + FORMAT_FIELDS)

    def spec(self) -> ExportSpec:
        resource = self.resource()
        timezone = self.timezone()
        file_format = self.choice(
            ErrorCode.INVALID_FORMAT, "format", self.body.get("format", "csv"), list(formats)
        )
        compression = self.compression(file_format)
        self.options_of(file_format)
        properties = self.output.get("properties")
        nesting = Nesting(
            self.choice(
                ErrorCode.INVALID_FORMAT,
                "csv_field_options.properties",
                Nesting.MERGE if properties is None else properties,
                list(Nesting),
            )
        )
        dry = self.flag(self.body, "", "dry_data", default=False)
        datetime_format = self.datetime_format()
        include_header = self.output_flag("include_header", default=True)
        escape_formulas = self.output_flag("escape_formulas", default=True)
        dialect = self.dialect()
        max_rows_per_file = self.max_rows_per_file()
        empty = self.choice(
            ErrorCode.INVALID_REQUEST, "empty", self.body.get("empty", "allow"), EMPTY
        )
        self.flag(self.body, "", "dedupe", default=False)
        self.metadata()
        columns: tuple[OutputColumn, ...] = ()
        selection, included = Selection(), Included()
        if resource is not None:
            including = Including(resource, file_format, self.report)
            included = including.read(self.body, dry=dry)
            nesting = including.nesting(properties, nesting)
            if "fields" in self.body and "columns" in self.output:
                text = "fields and csv_field_options.columns both choose what is shown"
                given = self.body["fields"]
                self.report(ErrorCode.INVALID_COLUMN, "fields", given, text, "one of them")
            choice = ColumnChoice(resource, self.output, self.report, included)
            columns = choice.columns()
            if formats[file_format].rows is not Rows.JSON and not including.failed:
                choice.check(columns, nesting)
            zone = Zone(timezone, TIMEZONE_FIELD)
            selection, problems = parse_selection(resource, self.options, self.filters, zone)
            self.problems.extend(problems)
        if self.problems or resource is None:
            self.problems.refuse()
        return ExportSpec(
            resource=resource.name,
            columns=columns,
            selection=selection,
            format=file_format,
            compression=compression,
            nesting=nesting,
            timezone=timezone,
            datetime_format=datetime_format,
            include_header=include_header,
            escape_formulas=escape_formulas,
            dialect=dialect,
            max_rows_per_file=max_rows_per_file,
            refuse_empty=empty == "error",
            includes=included.includes,
            omit_empty=dry,
            warnings=included.warnings,
        )

    def report(self, code: ErrorCode, field: str, value: Any, text: str, accepted: Any) -> None:
        self.problems.report(code, field, value, text, accepted)

    def unknown(self, given: Mapping[str, Any], path: str, known: tuple[str, ...]) -> None:
        for name in given:
            if name not in known:
                text = f"Unknown field: {path}{name}"
                code = ErrorCode.INVALID_REQUEST
                self.report(code, f"{path}{name}", given[name], text, list(known))

    def mapping(self, field: str) -> Mapping[str, Any]:
        value = self.body.get(field)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            text = f"{field} must be an object"
            self.report(ErrorCode.INVALID_REQUEST, field, value, text, "an object")
            return {}
        return value

    def choice(self, code: ErrorCode, field: str, value: Any, accepted: list[str]) -> str:
        if isinstance(value, str) and value in accepted:
            return value
        text = f"Unsupported {field.rpartition('.')[2]}: {_bare(value)}"
        self.report(code, field, value, text, accepted)
        return accepted[0]

    def compression(self, file_format: str) -> Compression:
        given, code = self.body.get("compression", "none"), ErrorCode.INVALID_COMPRESSION
        chosen = Compression(self.choice(code, "compression", given, list(Compression)))
        inside = formats[file_format].compressed_inside
        if inside and chosen is not Compression.NONE:
            text = f"A file of the format {file_format} holds {inside} already"
            self.report(code, "compression", given, text, [Compression.NONE])
        return chosen

    def options_of(self, file_format: str) -> None:
        """Complain of each given option that the format does not have."""
        for name in FORMAT_FIELDS:
            if name in self.output and name not in formats[file_format].options:
                having = [each.name for each in formats.values() if name in each.options]
                text = f"The format {file_format} has no option {name}: it is one of "
                text += " and ".join(having)
                field = f"csv_field_options.{name}"
                self.report(ErrorCode.INVALID_REQUEST, field, self.output[name], text, having)

    def max_rows_per_file(self) -> int | None:
        value = self.body.get("max_rows_per_file")
        if value is None or (type(value) is int and 1 <= value < _MAX_ROWS):
            return value
        text = f"max_rows_per_file is {display_value(value)}"
        accepted = f"a whole number, 1 to {_MAX_ROWS - 1}"
        self.report(ErrorCode.INVALID_LIMIT, "max_rows_per_file", value, text, accepted)
        return None

    def metadata(self) -> None:
        """It is the caller's own, and stays in the request."""
        metadata = self.mapping("metadata")
        size = len(json.dumps(metadata, ensure_ascii=False))
        if size > MAX_METADATA_CHARACTERS:
            text = f"metadata has {size:,} characters as JSON"
            accepted = f"an object of at most {MAX_METADATA_CHARACTERS:,}"
            self.report(ErrorCode.INVALID_REQUEST, "metadata", metadata, text, accepted)

    def output_flag(self, name: str, *, default: bool) -> bool:
        return self.flag(self.output, "csv_field_options.", name, default=default)

    def flag(self, given: Mapping[str, Any], path: str, name: str, *, default: bool) -> bool:
        value = given.get(name, default)
        if isinstance(value, bool):
            return value
        field = f"{path}{name}"
        text = f"{field} must be true or false"
        self.report(ErrorCode.INVALID_REQUEST, field, value, text, [True, False])
        return default

    def dialect(self) -> CsvDialect:
        def chosen(name: str, accepted: tuple[str, ...]) -> str:
            value, field = self.output.get(name, accepted[0]), f"csv_field_options.{name}"
            return self.choice(ErrorCode.INVALID_REQUEST, field, value, list(accepted))

        return CsvDialect(
            delimiter=chosen("delimiter", DELIMITERS),
            quoting=Quoting(chosen("quoting", tuple(Quoting))),
            bom=self.output_flag("bom", default=False),
            line_end=chosen("line_end", LINE_ENDS),
        )

    def resource(self) -> Resource | None:
        name = self.body.get("resource")
        resource = registry.get(name) if isinstance(name, str) else None
        if resource is None:
            if "resource" in self.body:
                code, text = ErrorCode.INVALID_RESOURCE, f"Unsupported resource type: {_bare(name)}"
            else:
                code = ErrorCode.INVALID_REQUEST
                text = "The field resource is required, or the field type"
            self.report(code, "resource", name, text, registry.names())
        return resource

    def timezone(self) -> str:
        name = self.output.get("timezone", self.default_timezone)
        if is_zone(name):
            return str(name)
        self.problems.extend([unknown_zone(name, TIMEZONE_FIELD)])
        return UTC.name

    def datetime_format(self) -> str | None:
        pattern = self.output.get("datetime_format")
        if pattern is None:
            return None
        try:
            check_pattern(pattern if isinstance(pattern, str) else "")
        except InvalidPattern as invalid:
            text = f"{display_value(pattern)} is no datetime pattern: {invalid}"
            if isinstance(pattern, str) and (meant := suggest_pattern(pattern)):
                text += f". Did you mean {display_value(meant)}?"
            code, field = ErrorCode.INVALID_DATETIME_FORMAT, "csv_field_options.datetime_format"
            self.report(code, field, pattern, text, ACCEPTED)
            return None
        return str(pattern)


def _zone(body: Mapping[str, Any], timezone: str) -> Zone:
    """Return the zone that governs a request; UTC if it names an unknown zone."""
    output = body.get("csv_field_options")
    own = output.get("timezone") if isinstance(output, Mapping) else None
    name = timezone if own is None else own
    return Zone(str(name), TIMEZONE_FIELD) if is_zone(name) else UTC


def _present(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a request gives; null is as good as nothing."""
    return {name: value for name, value in given.items() if value is not None}


def _bare(value: Any) -> str:
    return str(shortened(value)) if isinstance(value, str) else display_value(value)
