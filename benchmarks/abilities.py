"""The last tables of docs/peers.md: the features of each contender."""

from benchmarks import batch_data, names, plan

_NO, _YES = "no", "yes"
TITLES = ("", "time zones", "escapes formulas", "verifies the file", "one snapshot", "memory")
_BY_HAND = "if the SQL does it"
# In the order of TITLES, by label. "no" means: not as it is measured here.
FILES: dict[str, tuple[str, ...]] = {
    plan.LONGSHORE: (_YES, _YES, "reads it back, SHA-256", _YES, "constant"),
    plan.COPY: (_NO, _NO, "writes no file", _YES, "constant"),
    r"psql \copy": (_BY_HAND, _BY_HAND, _NO, _YES, "constant"),
    plan.DUCKDB: (_BY_HAND, _BY_HAND, _NO, _YES, "buffers"),
    "polars over ADBC": (_BY_HAND, _BY_HAND, _NO, _YES, "all rows"),
    "pandas in chunks": (_BY_HAND, _BY_HAND, _NO, _YES, "constant"),
    names.ITERATOR: ("in Python", _NO, _NO, _YES, "constant"),
    names.IMPORT_EXPORT: (_NO, "by a setting", _NO, _YES, "all rows"),
    names.SERIALIZER: (_NO, _NO, _NO, _YES, "all rows"),
    names.PREFETCHED: (_NO, _NO, _NO, "no: several statements", "constant"),
}
BATCH_TITLES = ("", "all errors of a file", "journal and undo", "resumes after a crash", "`save()`")
BATCHES: dict[str, tuple[str, ...]] = {
    plan.LONGSHORE: (_YES, _YES, _YES, _NO),
    batch_data.SAVE: (_NO, _NO, _NO, _YES),
    batch_data.ONE_BY_ONE: ("by a dry run", _NO, _NO, _YES),
    batch_data.BULK: ("by a dry run", _NO, _NO, _NO),
    batch_data.UPSERT: (_NO, _NO, _NO, _NO),
}

# By title of a comparison.
NOTES = {
    plan.CSV.title: "The server-side COPY converts nothing and sends nothing to a client.",
    plan.GZIP.title: "Levels of compression: Longshore 2 of ISA-L, `psql` and Python 6 of gzip, "
    "DuckDB and polars their defaults. The gzip of `psql` is a process of its own, whose memory is "
    "not included.",
    plan.NESTED.title: "Each order has a customer, two addresses, three lines with two options "
    "each, and two transactions. DuckDB writes JSON columns as texts.",
    **dict.fromkeys(
        plan.BATCHES,
        "The server flushes each commit to the disk. All contenders validate each row.",
    ),
}
