"""Removes what an export added for spreadsheets from cells and columns of texts.

That is an apostrophe before a formula, and the formula `="00123"` around a text.
"""

from collections.abc import Callable
from typing import Any

from longshore.files.formulas import (
    MARKED_FORMULA,
    parse_excel_text,
    unescape_formula,
    unescape_inside_cell,
)


def unescaped_cell(cell: str, index: int, columns: int, delimiter: str) -> str:
    """Return a cell of CSV as it was before the export. index: its position among the columns."""
    inside = unescape_inside_cell(cell, delimiter, is_first=not index, is_last=index == columns - 1)
    # An export writes `="00123"` only around a text: it puts an apostrophe before a text `="1"`.
    kept = parse_excel_text(inside)
    return unescape_formula(inside) if kept == inside else kept


def unescaped(cells: Any, unescape: Callable[[str], str]) -> Any:
    """Return an Arrow column of texts with `unescape` applied.

    Python sees only the cells that contain a mark of an export.
    """
    # Imported late: the admin uses this module without files.
    from longshore.files.arrow import compute, pyarrow

    marked = compute.match_substring_regex(cells, "'|^=\"")
    if not compute.any(marked).as_py():
        return cells
    pattern = f'{MARKED_FORMULA}|^="'
    marked = compute.fill_null(compute.match_substring_regex(cells, pattern), False)
    texts = cells.filter(marked).to_pylist()
    if not texts:
        return cells
    replacements = pyarrow.array(map(unescape, texts), pyarrow.string())
    return compute.replace_with_mask(cells, marked, replacements)
