"""Sets of options of the file for the programs that open it."""

from collections.abc import Mapping
from dataclasses import dataclass

from exports.admin.builder.state import DEFAULTS
from exports.request.body import PRESET
from exports.request.file_presets import FilePreset as FileKind


@dataclass(frozen=True)
class FilePreset:
    """values: fields of DEFAULTS that the preset sets."""

    name: str
    title: str
    description: str
    icon: str
    values: Mapping[str, str | bool | None]


_CSV = {
    **{
        name: DEFAULTS[name]
        for name in (
            *("compression", "delimiter", "quoting", "bom", "line_end", "include_header"),
            *("datetime_format", "decimal_separator"),
        )
    },
    "format": "csv",
    "escape_formulas": True,
    PRESET: None,
}
_EXCEL_CSV = {**_CSV, PRESET: FileKind.EXCEL}
_PLAIN = {"compression": "none"}
FILE_PRESETS = (
    FilePreset(
        "excel",
        "Excel workbook",
        "XLSX with typed cells",
        "table_view",
        {**_PLAIN, "format": "xlsx", "include_header": True, "escape_formulas": True},
    ),
    FilePreset(
        "excel_comma",
        "Excel CSV, comma",
        "For 1,234.5 locales such as English",
        "csv",
        _EXCEL_CSV,
    ),
    FilePreset(
        "excel_semicolon",
        "Excel CSV, semicolon",
        "For 1.234,5 locales such as German or French",
        "csv",
        {**_EXCEL_CSV, "decimal_separator": ","},
    ),
    FilePreset("csv", "CSV", "For other programs: RFC 4180, UTF-8", "description", _CSV),
    FilePreset(
        "jsonl",
        "JSON lines",
        "One object per line, gzip",
        "data_object",
        {"format": "jsonl", "compression": "gzip"},
    ),
    FilePreset("parquet", "Parquet", "For analytics", "database", {**_PLAIN, "format": "parquet"}),
)
