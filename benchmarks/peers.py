"""Other programs and libraries that read shipments or orders from PostgreSQL and write a file.

Each function takes a number of rows and returns the size of the file in bytes. None needs Django,
so its process does not load it. All read the stored values of the same columns.
"""

import gzip
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from benchmarks import names
from benchmarks.data import COLUMNS, JSON, ORGANIZATION
from benchmarks.processes import Unavailable, run_program
from exports_project import embedded
from exports_project.embedded.servers import POSTGRES

_SHIPMENTS, _ORGANIZATIONS = "longshore_logistics_shipment", "longshore_accounts_organization"
_CHUNK_ROWS = 20_000
# Each table as a list of structs in the row that it belongs to. A reference to a table as a value
# is a struct of its row.
_NESTED = """
WITH options AS (
    SELECT line_item_id, list(o) AS found FROM pg.longshore_commerce_lineitemoption AS o GROUP BY 1
), lines AS (
    SELECT l.order_id, list(struct_insert(l, line_item_options := coalesce(o.found, []))) AS found
    FROM pg.longshore_commerce_lineitem AS l LEFT JOIN options AS o ON o.line_item_id = l.id
    GROUP BY 1
), transactions AS (
    SELECT order_id, list(t) AS found FROM pg.longshore_commerce_transaction AS t GROUP BY 1
)
SELECT o.* EXCLUDE (search_text),
    customer, shipping AS shipping_address, billing AS billing_address,
    coalesce(lines.found, []) AS line_items, coalesce(transactions.found, []) AS transactions
FROM pg.longshore_commerce_order AS o
LEFT JOIN (SELECT * EXCLUDE (search_text) FROM pg.longshore_commerce_customer) AS customer
    ON customer.id = o.customer_id
LEFT JOIN pg.longshore_commerce_address AS shipping ON shipping.id = o.shipping_address_id
LEFT JOIN pg.longshore_commerce_address AS billing ON billing.id = o.billing_address_id
LEFT JOIN lines ON lines.order_id = o.id
LEFT JOIN transactions ON transactions.order_id = o.id
WHERE o.organization_id = '{organization}'"""


def _folder() -> Path:
    return Path(os.environ["LOCAL_DIR"])


def _socket_folder() -> str:
    return str(embedded.postgres_socket(_folder()).parent)


def _uri(scheme: str = "postgresql") -> str:
    name = embedded.DATABASE
    return f"{scheme}:///{name}?host={quote(_socket_folder(), safe='')}&user={name}"


@contextmanager
def _file(name: str) -> Iterator[Path]:
    """Yield the path of a file, which is deleted: the next run must not wait for the disk."""
    path = _folder() / name
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _organization() -> str:
    with psycopg.connect(_uri()) as connection:
        query = f"SELECT id FROM {_ORGANIZATIONS} WHERE slug = %s"  # noqa: S608
        row = connection.execute(query, [ORGANIZATION]).fetchone()
    if row is None:
        raise LookupError(ORGANIZATION)
    return str(row[0])


def _query(rows: int, *, json_as_text: bool = False) -> str:
    columns = (f"{name}::text AS {name}" if json_as_text and name in JSON else name
               for name in COLUMNS)  # fmt: skip
    return (
        f"SELECT {', '.join(columns)} FROM {_SHIPMENTS} "  # noqa: S608
        f"WHERE organization_id = '{_organization()}' LIMIT {rows}"
    )


def psql_copy(rows: int, *, compress: bool) -> int:
    r"""`\copy` of psql, the client of the embedded server. gzip is another process."""
    with _file("psql.csv") as path:
        target = f"PROGRAM 'gzip -6 > {path}'" if compress else f"'{path}'"
        copy = rf"\copy ({_query(rows)}) TO {target} (FORMAT csv, HEADER)"
        run_program([POSTGRES / "bin" / "psql", "-X", "-q", "-d", _uri(), "-c", copy])
        return path.stat().st_size


def _duckdb() -> Any:
    """Connect DuckDB to the server as `pg`. Raises Unavailable without its PostgreSQL extension."""
    import duckdb

    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    version = duckdb.__version__
    package = find_spec("duckdb_extension_postgres_scanner")
    folder = Path(package.origin or "").parent if package else Path()
    files = sorted(folder.glob(f"extensions/v{version}/*")) if package else []
    if not files:
        raise Unavailable(
            f"DuckDB {version} has no scanner of PostgreSQL; `make bench` installs one."
        )
    try:
        connection.load_extension(str(files[-1]))
    except duckdb.Error as error:
        reason = str(error).partition("\n")[0]
        raise Unavailable(f"The scanner of DuckDB {version} does not load: {reason}") from None
    server = f"host={_socket_folder()} dbname={embedded.DATABASE} user={embedded.DATABASE}"
    connection.execute(f"ATTACH '{server}' AS pg (TYPE postgres, READ_ONLY, SCHEMA 'public')")
    return connection


def duckdb_copy(query: str, options: str, rows: int) -> int:
    """Write all rows of the organization: a limit would stop DuckDB's parallel reading."""
    with _file("duckdb.out") as path, _duckdb() as connection:
        statement = f"COPY ({query.format(organization=_organization())}) TO '{path}' ({options})"
        (written,) = connection.execute(statement).fetchone()
        if written != rows:
            raise SystemExit(f"{written} rows instead of {rows}")
        return path.stat().st_size


def polars_adbc(kind: str, rows: int) -> int:
    """The rows as one DataFrame, which ADBC reads, then a file."""
    import polars

    with _file("polars.out") as path:
        query = _query(rows, json_as_text=True)
        frame = polars.read_database_uri(query, _uri(), engine="adbc")
        if kind == "parquet":
            frame.write_parquet(path, compression="zstd")
        elif kind == "gzip":
            frame.write_csv(path, compression="gzip", check_extension=False)
        else:
            frame.write_csv(path)
        return path.stat().st_size


def pandas_chunks(kind: str, rows: int) -> int:
    """A server-side cursor, DataFrames of some thousand rows, and one file."""
    import pandas

    with _file("pandas.out") as path:
        chunks = pandas.read_sql_query(
            _query(rows, json_as_text=True), _streaming(), chunksize=_CHUNK_ROWS
        )
        if kind == "parquet":
            _write_parquet(chunks, path)
        else:
            with gzip.open(path, "wb", 6) if kind == "gzip" else path.open("wb") as file:
                for number, chunk in enumerate(chunks):
                    chunk.to_csv(file, index=False, header=number == 0)
        return path.stat().st_size


def _streaming() -> Any:
    """Connect SQLAlchemy with a server-side cursor."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(_uri("postgresql+psycopg"))
    return engine.connect().execution_options(stream_results=True, max_row_buffer=_CHUNK_ROWS)


def _write_parquet(chunks: Any, path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    writer = None
    for chunk in chunks:
        # The types of the first chunk hold for the file.
        schema = writer.schema if writer else None
        table = pyarrow.Table.from_pandas(chunk, schema=schema, preserve_index=False)
        writer = writer or parquet.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    if writer:
        writer.close()


_ALL = (
    f"SELECT {', '.join(COLUMNS)} FROM pg.{_SHIPMENTS} "  # noqa: S608
    "WHERE organization_id = '{organization}'"
)
_LIBRARIES = {
    ("duckdb",): (names.DUCKDB, names.DUCKDB_GZIP, names.DUCKDB_PARQUET, names.DUCKDB_NESTED),
    ("polars", "adbc_driver_postgresql.dbapi"): (
        names.POLARS,
        names.POLARS_GZIP,
        names.POLARS_PARQUET,
    ),
    ("pandas", "sqlalchemy", "pyarrow.parquet"): (
        names.PANDAS,
        names.PANDAS_GZIP,
        names.PANDAS_PARQUET,
    ),
}
IMPORTS = {name: modules for modules, found in _LIBRARIES.items() for name in found}
CONTENDERS: dict[str, Callable[[int], int]] = {
    names.PSQL: partial(psql_copy, compress=False),
    names.PSQL_GZIP: partial(psql_copy, compress=True),
    names.DUCKDB: partial(duckdb_copy, _ALL, "FORMAT csv"),
    names.DUCKDB_GZIP: partial(duckdb_copy, _ALL, "FORMAT csv, COMPRESSION gzip"),
    names.DUCKDB_PARQUET: partial(duckdb_copy, _ALL, "FORMAT parquet, COMPRESSION zstd"),
    names.DUCKDB_NESTED: partial(duckdb_copy, _NESTED, "FORMAT json, ARRAY true, COMPRESSION gzip"),
    names.POLARS: partial(polars_adbc, "csv"),
    names.POLARS_GZIP: partial(polars_adbc, "gzip"),
    names.POLARS_PARQUET: partial(polars_adbc, "parquet"),
    names.PANDAS: partial(pandas_chunks, "csv"),
    names.PANDAS_GZIP: partial(pandas_chunks, "gzip"),
    names.PANDAS_PARQUET: partial(pandas_chunks, "parquet"),
}
