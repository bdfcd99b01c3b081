"""Parses the body of a request into an `ExportSpec`, and reports all of its problems at once."""

from collections.abc import Mapping
from typing import Any

from exports.formats import formats
from exports.formats.base import Rows
from exports.request.body import EXPORT_BODY, PRESET, TYPE
from exports.request.column_selection import ColumnSelection
from exports.request.file_presets import FilePreset, preset_options
from exports.request.includes import IncludeParser, RequestedIncludes
from exports.request.resolution import resolve_request
from exports.spec import OUTPUT, TIMEZONE_FIELD, ExportSpec, Nesting, OutputColumn
from longshore.api.errors import ErrorCode, Problems
from longshore.files.compression import Compression
from longshore.files.csv_dialect import CsvDialect, Quoting
from longshore.jobs.errors import JobErrorCode
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.filters import Selection
from longshore.resources.predicates import parse_selection
from longshore.resources.registry import Resource, registry
from longshore.resources.timezones import UTC, Zone, is_zone, read_timezone

# Each of these options exists only in the formats that list it in `Format.options`.
_FORMAT_OPTIONS = frozenset(name for each in formats.values() for name in each.options)


def parse_export(body: Mapping[str, Any], timezone: str = "UTC") -> ExportSpec:
    """Parse the body of a request.

    timezone: IANA name of the organization's zone, for a request that names no zone.
    Raises InvalidInput with every problem of the body.
    """
    body = EXPORT_BODY.canonical(body)
    problems = Problems()
    if body.get("resource") is None and body.get(TYPE) is None:
        text = "resource is required unless you set type."
        problems.report(ErrorCode.INVALID_REQUEST, "resource", None, text, registry.names())
    zone = _zone(body, timezone, problems)
    request = resolve_request(body, zone, problems)
    spec = _Parser(request.body, zone, problems).parse()
    return request.apply_to(spec)


def _zone(body: Mapping[str, Any], timezone: str, problems: Problems) -> Zone:
    """Return the zone that applies to a request; UTC if it is unknown.

    timezone: the default. An unknown default is reported here, an unknown zone of the body by the
        reader of the body.
    """
    name = _given(body.get(OUTPUT)).get("timezone")
    if name is None:
        name = read_timezone(timezone, TIMEZONE_FIELD, problems)
    return Zone(name, TIMEZONE_FIELD) if is_zone(name) else UTC


def _given(value: Any) -> dict[str, Any]:
    """Return the members of an object of the request that are not null."""
    members = value.items() if isinstance(value, Mapping) else ()
    return {name: each for name, each in members if each is not None}


class _Parser:
    """Parses one body whose named export and date range are resolved."""

    def __init__(self, body: Mapping[str, Any], zone: Zone, problems: Problems) -> None:
        self._values = EXPORT_BODY.read(body, problems)
        self._output = self._values[OUTPUT]
        self._given_output = _given(body.get(OUTPUT))
        self._zone = zone
        self._problems = problems

    def parse(self) -> ExportSpec:
        values, output = self._values, self._output
        self._check_format()
        preset = preset_options(FilePreset(output.get(PRESET) or FilePreset.ISO), output)
        output |= {name: each for name, each in preset.items() if name not in self._given_output}
        resource = registry.get(str(values.get("resource")))
        if resource is None:
            self._problems.refuse()
        nesting, columns, requested = self._columns(resource)
        selection = self._selection(resource)
        if self._problems:
            self._problems.refuse()
        return ExportSpec(
            resource=resource.name,
            columns=columns,
            selection=selection,
            format=values["format"],
            compression=Compression(values["compression"]),
            nesting=nesting,
            timezone=self._zone.name,
            datetime_format=output.get("datetime_format"),
            include_header=output["include_header"],
            escape_formulas=output["escape_formulas"],
            labels=output["labels"],
            dialect=CsvDialect(
                delimiter=output["delimiter"],
                quoting=Quoting(output["quoting"]),
                bom=output["bom"],
                line_end=output["line_end"],
                decimal_separator=output["decimal_separator"],
                keeps_texts=output.get("keeps_texts", False),
            ),
            max_rows_per_file=values.get("max_rows_per_file"),
            refuse_empty=values["empty"] == "error",
            includes=requested.includes,
            omit_empty=values["dry_data"],
            warnings=requested.warnings,
        )

    def _check_format(self) -> None:
        """Report a compression and options that the file format does not have."""
        name, compression = self._values["format"], self._values["compression"]
        built_in = formats[name].compressed_inside
        if built_in and compression != Compression.NONE:
            text = f"{name} files are already compressed with {built_in}."
            code = JobErrorCode.INVALID_COMPRESSION
            self._problems.report(code, "compression", compression, text, [Compression.NONE])
        for option, value in self._given_output.items():
            if option in _FORMAT_OPTIONS and option not in formats[name].options:
                others = [each.name for each in formats.values() if option in each.options]
                text = f"{name} files have no option {option}; it exists for {', '.join(others)}."
                field = f"{OUTPUT}.{option}"
                self._problems.report(ErrorCode.INVALID_REQUEST, field, value, text, others)

    def _columns(
        self, resource: Resource
    ) -> tuple[Nesting, tuple[OutputColumn, ...], RequestedIncludes]:
        values, file_format = self._values, self._values["format"]
        fields = values.get("fields")
        parser = IncludeParser(resource, file_format, self._problems)
        requested = parser.parse(fields, values.get("includes"), is_dry=values["dry_data"])
        nesting = Nesting(self._output["properties"])
        nesting = parser.nesting(self._given_output.get("properties"), nesting)
        if fields is not None and "columns" in self._given_output:
            text = f"Set fields or {OUTPUT}.columns, not both."
            self._problems.report(
                ResourceErrorCode.INVALID_COLUMN, "fields", fields, text, "one of them"
            )
        selection = ColumnSelection(
            resource,
            self._output,
            requested,
            self._problems,
            is_for_people=formats[file_format].is_for_people,
        )
        columns = selection.parse()
        is_table = formats[file_format].rows is not Rows.JSON
        if is_table and not parser.has_failed:
            selection.check_headers(columns, nesting)
        return nesting, columns, requested

    def _selection(self, resource: Resource) -> Selection:
        options, filters = (self._values.get(name) or {} for name in ("options", "filters"))
        selection, problems = parse_selection(resource, options, filters, self._zone)
        self._problems.extend(problems)
        return selection
