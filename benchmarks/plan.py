"""What `make bench` measures: comparisons, their contenders, and numbers of rows."""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks import batch_data, names

_FORMATS, _EXPORTS = "benchmarks.format_contenders", "benchmarks.contenders"
_INCLUDES, _PEERS = "benchmarks.include_contenders", "benchmarks.peers"
ROWS, ORDERS, CONTACTS, OTHER_CONTACTS = 1_000_000, 50_000, 50_000, 2_000
# The time of slow contenders grows linearly, so rates of fewer rows are comparable.
_FEWER, _FEWEST, _FEW_ORDERS = 100_000, 20_000, 2_000
# Numbers of rows of the growth tables. Those of ROWS are the runs of the comparisons.
SMALLER, LARGER = (100_000, 300_000), (3_000_000,)
GROWTH_REPEAT = 2  # At most.
DELIVERIES, TIMED_EXPORTS = 3_000, 50
LONGSHORE, DUCKDB = "Longshore", "DuckDB"
COPY = "server-side COPY to /dev/null"


@dataclass(frozen=True)
class Contender:
    """label: its name in tables. name: its key in the `CONTENDERS` of the module.

    max_rows: of a slow contender.
    """

    label: str
    module: str
    name: str
    max_rows: int | None = None

    @property
    def needs_django(self) -> bool:
        return self.module != _PEERS


@dataclass(frozen=True)
class Line:
    """A comparison. The first contender is Longshore."""

    title: str
    unit: str
    contenders: tuple[Contender, ...]


CSV = Line(
    "CSV",
    "rows",
    (
        Contender(LONGSHORE, _FORMATS, names.CSV),
        Contender(COPY, _FORMATS, names.PLAIN),
        Contender(r"psql \copy", _PEERS, names.PSQL),
        Contender(DUCKDB, _PEERS, names.DUCKDB),
        Contender("polars over ADBC", _PEERS, names.POLARS),
        Contender("pandas in chunks", _PEERS, names.PANDAS, _FEWER),
    ),
)
GZIP = Line(
    "CSV with gzip",
    "rows",
    (
        Contender(LONGSHORE, _FORMATS, names.CSV_GZIP),
        Contender(r"psql \copy", _PEERS, names.PSQL_GZIP),
        Contender(DUCKDB, _PEERS, names.DUCKDB_GZIP),
        Contender("polars over ADBC", _PEERS, names.POLARS_GZIP),
        Contender("pandas in chunks", _PEERS, names.PANDAS_GZIP, _FEWER),
        Contender(names.ITERATOR, _EXPORTS, names.ITERATOR, _FEWER),
        Contender(names.IMPORT_EXPORT, _EXPORTS, names.IMPORT_EXPORT, _FEWEST),
        Contender(names.SERIALIZER, _EXPORTS, names.SERIALIZER, _FEWEST),
    ),
)
PARQUET = Line(
    "Parquet with zstd",
    "rows",
    (
        Contender(LONGSHORE, _FORMATS, names.PARQUET),
        Contender(DUCKDB, _PEERS, names.DUCKDB_PARQUET),
        Contender("polars over ADBC", _PEERS, names.POLARS_PARQUET),
        Contender("pandas in chunks", _PEERS, names.PANDAS_PARQUET, _FEWER),
    ),
)
NESTED = Line(
    "Nested JSON with gzip",
    "orders",
    (
        Contender("Longshore, stored columns", _INCLUDES, names.STORED),
        Contender("Longshore, with computed columns", _INCLUDES, names.NESTED),
        Contender(DUCKDB, _PEERS, names.DUCKDB_NESTED),
        Contender(names.PREFETCHED, _INCLUDES, names.PREFETCHED, _FEW_ORDERS),
    ),
)
JSON_LINES = Line("JSON Lines", "rows", (Contender(LONGSHORE, _FORMATS, names.JSON_LINES),))
# By file: the contenders whose growth is measured.
GROWING = (
    (GZIP.title, GZIP.contenders[0]),
    (GZIP.title, GZIP.contenders[2]),
    (PARQUET.title, PARQUET.contenders[0]),
    (PARQUET.title, PARQUET.contenders[1]),
    (JSON_LINES.title, JSON_LINES.contenders[0]),
)
_OTHERS = (batch_data.SAVE, batch_data.ONE_BY_ONE, batch_data.BULK, batch_data.UPSERT)
# By title: the keys of `benchmarks.batches.measured`, and their labels. The first is Longshore.
BATCHES: Mapping[str, Mapping[str, str]] = {
    "Batches that create contacts": {
        batch_data.CREATED: LONGSHORE,
        batch_data.VALIDATED: "Longshore, dry run",
        **{name: name for name in _OTHERS},
    },
    "Batches that update contacts": {
        batch_data.UPDATED: LONGSHORE,
        batch_data.UNCHANGED: "Longshore, unchanged rows",
        **{batch_data.updating(name): name for name in _OTHERS},
    },
}


def scaled(rows: int, scale: float) -> int:
    """Return a part of a number of rows, at least 100, or all if it is less."""
    return max(min(rows, 100), int(rows * scale))
