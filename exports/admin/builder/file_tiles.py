"""The tiles of the builder: sets of options of the file for the programs that open it."""

from dataclasses import dataclass, replace

from exports.admin.builder.state import DEFAULTS, State, Values, defaults_of
from exports.request.body import PRESET
from exports.request.file_presets import FilePreset

# The options whose defaults depend on the preset.
_PRESET_OPTIONS = ("delimiter", "bom", "line_end", "datetime_format")


@dataclass(frozen=True)
class FileTile:
    """values: fields of DEFAULTS that the tile sets."""

    name: str
    title: str
    description: str
    icon: str
    values: Values


def _csv(preset: FilePreset, decimal_separator: str = ".") -> Values:
    """Return a CSV file with all options as in a preset."""
    chosen: Values = {"format": "csv", PRESET: preset, "decimal_separator": decimal_separator}
    defaults = defaults_of(State(values={**DEFAULTS, **chosen}))
    names = ("compression", "quoting", "include_header", "escape_formulas", *_PRESET_OPTIONS)
    return {**{name: defaults[name] for name in names}, **chosen}


_PLAIN = {"compression": "none"}
FILE_TILES = (
    FileTile(
        "excel",
        "Excel workbook",
        "XLSX with typed cells",
        "table_view",
        {**_PLAIN, "format": "xlsx", "include_header": True, "escape_formulas": True},
    ),
    FileTile(
        "excel_comma",
        "Excel CSV, comma",
        "For 1,234.5 locales such as English",
        "csv",
        _csv(FilePreset.EXCEL),
    ),
    FileTile(
        "excel_semicolon",
        "Excel CSV, semicolon",
        "For 1.234,5 locales such as German or French",
        "csv",
        _csv(FilePreset.EXCEL, ","),
    ),
    FileTile(
        "csv",
        "CSV",
        "For other programs: RFC 4180, UTF-8",
        "description",
        _csv(FilePreset.ISO),
    ),
    FileTile(
        "jsonl",
        "JSON lines",
        "One object per line, gzip",
        "data_object",
        {"format": "jsonl", "compression": "gzip"},
    ),
    FileTile("parquet", "Parquet", "For analytics", "database", {**_PLAIN, "format": "parquet"}),
)


def apply_tile(state: State, name: str) -> State:
    """Return the state after a tile was pressed."""
    tile = next((each for each in FILE_TILES if each.name == name), None)
    return follow_preset(replace(state, values={**state.values, **tile.values}) if tile else state)


def follow_preset(state: State) -> State:
    """Return the state after something changed that its preset depends on.

    Options with the default of a preset get the default of the preset that applies now.
    """
    defaults = defaults_of(state)
    changed = {
        name: defaults[name]
        for name in _PRESET_OPTIONS
        if any(
            name in each.values and each.values[name] == state.values[name] for each in FILE_TILES
        )
    }
    return replace(state, values={**state.values, **changed})
