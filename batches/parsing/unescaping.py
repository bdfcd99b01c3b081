"""Removes the apostrophes that an export put before formulas, from cells and columns of texts."""

from collections.abc import Callable
from typing import Any

from longshore.files.formulas import MARKED_FORMULA, unescape_formula, unescape_inside_cell


def unescaped_cell(cell: str, index: int, columns: int, delimiter: str) -> str:
    """Return a cell of CSV without the apostrophes. index: its position among the columns."""
    inside = unescape_inside_cell(cell, delimiter, is_first=not index, is_last=index == columns - 1)
    return unescape_formula(inside)


def unescaped(cells: Any, unescape: Callable[[str], str]) -> Any:
    """Return an Arrow column of texts with `unescape` applied.

    Python sees only the cells that contain an apostrophe before a sign.
    """
    # Imported late: the admin uses this module without files.
    from longshore.files.arrow import compute, pyarrow

    marked = compute.match_substring(cells, "'")
    if not compute.any(marked).as_py():
        return cells
    marked = compute.fill_null(compute.match_substring_regex(cells, MARKED_FORMULA), False)
    texts = cells.filter(marked).to_pylist()
    if not texts:
        return cells
    replacements = pyarrow.array(map(unescape, texts), pyarrow.string())
    return compute.replace_with_mask(cells, marked, replacements)
