"""Names of the contenders, which the benchmarks and the modules of contenders share.

Imports nothing: the benchmarks run before Django is set up.
"""

SERVER = "server-side COPY to /dev/null"

# `benchmarks.export`
EXPORT = "Longshore, CSV + gzip"
ITERATOR = "values_list().iterator() + csv.writer"
IMPORT_EXPORT = "django-import-export"
SERIALIZER = "DRF serializer loop"

# `benchmarks.formats`
PLAIN = "server-side COPY of plain CSV"
PLAIN_CONTACTS = "server-side COPY of plain CSV, contacts"
MERGED = "server-side COPY of the merged CSV"
CSV = "CSV, merge"
CSV_GZIP = "CSV, merge, gzip"
CSV_ZSTD = "CSV, merge, zstd"
JSON_LINES = "JSON Lines"
CSV_FLATTEN = "CSV, flatten"
PARQUET = "Parquet"
XLSX = "XLSX, 12 columns"
CONTACTS = "contacts with two groups each, CSV, merge"

# `benchmarks.includes`
NESTED = "Longshore, JSON + gzip"
STORED = "Longshore, without computed columns"
PREFETCHED = "prefetch_related + serializers"
STATEMENTS = "statements"
STATEMENTS_OF_ONE = "statements of one connection"

# `benchmarks.peers`
PSQL, PSQL_GZIP = r"psql \copy", r"psql \copy + gzip -6"
DUCKDB, DUCKDB_GZIP = "DuckDB, CSV", "DuckDB, CSV + gzip"
DUCKDB_PARQUET, DUCKDB_NESTED = "DuckDB, Parquet", "DuckDB, nested JSON + gzip"
POLARS, POLARS_GZIP = "polars over ADBC, CSV", "polars over ADBC, CSV + gzip"
POLARS_PARQUET = "polars over ADBC, Parquet"
PANDAS, PANDAS_GZIP = "pandas in chunks, CSV", "pandas in chunks, CSV + gzip"
PANDAS_PARQUET = "pandas in chunks, Parquet"
