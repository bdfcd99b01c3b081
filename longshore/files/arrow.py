"""pyarrow with an allocator that returns freed memory at once.

Import pyarrow and its modules from here, before `pyarrow.parquet`, and only where they are used:
they take as much memory as an export of CSV.
"""

import os
from contextlib import suppress

# jemalloc keeps the least freed memory of pyarrow's allocators. pyarrow reads this on import.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "jemalloc")

import pyarrow
from pyarrow import compute, csv, json, types

# Builds without jemalloc use another allocator.
with suppress(NotImplementedError):
    pyarrow.jemalloc_set_decay_ms(0)

__all__ = ["compute", "csv", "json", "pyarrow", "types"]
