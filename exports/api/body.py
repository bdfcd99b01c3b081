"""The body of a request for an export, as the API's description has it.

`exports.request.parser` reads it, and says more than a schema could of what is wrong.
"""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from exports.formats import formats
from exports.request.parser import EMPTY, MAX_METADATA_CHARACTERS
from exports.spec import Nesting
from longshore.files.compression import Compression
from longshore.files.csv_dialect import DELIMITERS, LINE_ENDS, Quoting
from longshore.resources.export_types import export_types
from longshore.resources.registry import registry

TYPES = export_types.codes()
_NAMES = {"type": "array", "items": {"type": "string"}}
_HEADERS = {
    "type": "object",
    "additionalProperties": {"oneOf": [{"type": "boolean"}, {"type": "string", "maxLength": 63}]},
}


@extend_schema_field({"oneOf": [_HEADERS, _NAMES]})
class ColumnsField(serializers.JSONField):
    """Names as a list, or as the keys of an object."""


class OutputOptionsSerializer(serializers.Serializer[Any]):
    """How the file shows the records."""

    columns = ColumnsField(
        required=False,
        help_text="What to show: `true` for a column under its own name, a text for one under "
        "another. Relations are columns (`location`), and so are their fields "
        "(`location.name`). Every column by default.",
    )
    column_order = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Chosen columns that come first, in this order; the others follow as chosen.",
    )
    timezone = serializers.CharField(
        required=False,
        help_text="An IANA name. It governs the whole request: datetimes in the file, and days "
        "and times without an offset in filters, `date_from` and `date_to`. The organization's "
        "by default.",
    )
    datetime_format = serializers.CharField(
        required=False,
        help_text="An LDML pattern such as `MM/dd/yyyy hh:mm:ss a`; ISO 8601 by default.",
    )
    properties = serializers.ChoiceField(
        [nesting.value for nesting in Nesting],
        default=Nesting.MERGE.value,
        help_text="What becomes of values that have parts. JSON keeps all structure anyway.",
    )
    include_header = serializers.BooleanField(
        default=True, help_text="Begin with the names of the columns. Of CSV and XLSX."
    )
    escape_formulas = serializers.BooleanField(
        default=True,
        help_text="An apostrophe before text that a spreadsheet would run. Of CSV and XLSX.",
    )
    delimiter = serializers.ChoiceField(DELIMITERS, default=",", help_text="Of CSV.")
    quoting = serializers.ChoiceField(
        [quoting.value for quoting in Quoting],
        default=Quoting.MINIMAL.value,
        help_text="Of CSV: which cells stand in quotes, those that must or all.",
    )
    bom = serializers.BooleanField(
        default=False, help_text="Of CSV: begin with the mark by which Excel knows UTF-8."
    )
    line_end = serializers.ChoiceField(LINE_ENDS, default="\n", help_text="Of CSV.")


class ExportRequestSerializer(serializers.Serializer[Any]):
    """What to export: which records, and how the file shows them."""

    resource = serializers.ChoiceField(
        registry.names(), required=False, help_text="The kind of records, unless there is a `type`."
    )
    type = serializers.ChoiceField(
        TYPES,
        required=False,
        help_text="A named export, with columns and an order of its own: see `/v1/exports/types`.",
    )
    date_from = serializers.CharField(
        required=False,
        help_text="Only records of this date or later: of the date that the type names, else of "
        "the resource's own. In the time zone of the request unless it has an offset.",
    )
    date_to = serializers.CharField(
        required=False,
        help_text="Only records of this date or earlier. The end is inclusive, to the precision "
        "in which it is written: `2025-03-31` includes that day, `2025-03-31T23:59:59Z` that "
        "second.",
    )
    format = serializers.ChoiceField(list(formats), default="csv")
    compression = serializers.ChoiceField(
        [compression.value for compression in Compression], default=Compression.NONE.value
    )
    options = serializers.DictField(
        child=extend_schema_field(OpenApiTypes.ANY)(serializers.JSONField)(),
        required=False,
        help_text="Filters by the names of columns (`status`, `metadata.service`, `group_id`, "
        "`location.name`, `search`), each a value, a comma list, or `operator:value`; and "
        "`order_by`, `direction`, and `limit`, a number or `all`.",
    )
    filters = serializers.DictField(
        child=extend_schema_field(OpenApiTypes.ANY)(serializers.JSONField)(),
        required=False,
        help_text="Predicates, which rows must pass beside `options`: by `<attribute>_<matcher>` "
        "(`status_in`, `tracking_number_or_order_number_cont`, `location_name_start`) the value "
        "to match.",
    )
    includes = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Relations whose records are shown whole (`location`, `groups.location`), as "
        "the resource names them; of the others the ids alone are shown. JSON has them inside the "
        "record, a table beside it, at one level.",
    )
    fields = serializers.ListField(  # type: ignore[assignment]
        child=serializers.CharField(),
        required=False,
        help_text="What to show, of included relations too: `name`, `groups.*`, "
        "`groups.location.name`; `*` is every column. In place of `columns`.",
    )
    dry_data = serializers.BooleanField(
        default=False,
        help_text="Leave out what another organization cannot take or need not: ids, dates of "
        "creation and change, formatted amounts, and in JSON what is null or empty.",
    )
    csv_field_options = OutputOptionsSerializer(required=False)
    max_rows_per_file = serializers.IntegerField(
        required=False,
        min_value=1,
        help_text="Begin a new file, each with a header of its own, after so many rows.",
    )
    empty = serializers.ChoiceField(
        EMPTY, default=EMPTY[0], help_text="`error` refuses a request that matches nothing."
    )
    dedupe = serializers.BooleanField(
        default=False,
        help_text="Answer with an unfinished export of the same, with status 200, if there is one.",
    )
    metadata = serializers.DictField(
        child=extend_schema_field(OpenApiTypes.ANY)(serializers.JSONField)(),
        required=False,
        help_text="Whatever you want to find again in the export, and in what webhooks tell of it. "
        f"At most {MAX_METADATA_CHARACTERS:,} characters as JSON.",
    )
