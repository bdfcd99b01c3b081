"""Presets of the options of a CSV file, for the program that opens it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

# The only format with presets.
PRESET_FORMAT = "csv"
# Excel recognizes it in every language.
_EXCEL_DATETIMES = "yyyy-MM-dd HH:mm:ss"


class FilePreset(StrEnum):
    """ISO: for programs. EXCEL: for people who open the file in Excel."""

    ISO = "iso"
    EXCEL = "excel"


def default_preset(file_format: str, *, is_named: bool) -> FilePreset:
    """Return the preset of a request that sets none. People read the CSV of named exports."""
    return FilePreset.EXCEL if is_named and file_format == PRESET_FORMAT else FilePreset.ISO


def preset_options(preset: FilePreset, output: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a preset that differ from the defaults.

    output: the options of the request.
    """
    if preset is FilePreset.ISO:
        return {}
    has_comma = output["decimal_separator"] == ","
    return {
        "bom": True,
        "line_end": "\r\n",
        # Excel takes the separators of its language: where the decimal separator is a comma, the
        # delimiter is a semicolon.
        "delimiter": ";" if has_comma else ",",
        "datetime_format": _EXCEL_DATETIMES,
        "keeps_texts": True,
    }
