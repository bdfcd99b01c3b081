"""Compiles a spec to SQL: column layouts, cells, nesting, discovery, statements."""
