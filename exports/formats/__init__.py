"""The file formats, by name."""

from collections.abc import Mapping

from exports.formats.base import Format
from exports.formats.csv_format import Csv
from exports.formats.json_formats import JsonArray, JsonLines
from exports.formats.parquet import Parquet
from exports.formats.xlsx import Xlsx

formats: Mapping[str, Format] = {
    each.name: each for each in (Csv(), JsonArray(), JsonLines(), Parquet(), Xlsx())
}
