"""The apostrophes before formulas that an export writes are removed."""

import csv
import io
import re

from hypothesis import given
from hypothesis import strategies as st

from longshore.files.csv_dialect import DELIMITERS
from longshore.files.formulas import (
    MARKED_FORMULA,
    escape_formula,
    escape_inside_cells,
    unescape_formula,
    unescape_inside_cell,
)

PIECES = st.sampled_from(
    [
        *"=+-@;,|\t\n\"( !)']}\u3000\uff1d\uff0d15.a",
        "\r\n", "-5", "+49 30 123456", "-$5.10", "-Infinity", "HYPERLINK(", ', "', ', "=',
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=8).map("".join)
# An apostrophe of the text itself cannot be told from one that an export wrote.
PLAIN_TEXTS = TEXTS.map(lambda text: text.replace("'", ""))
ROWS = st.lists(st.lists(PLAIN_TEXTS, min_size=3, max_size=3), max_size=4)


@given(TEXTS)
def test_texts(text: str) -> None:
    if not (text.startswith("'") and escape_formula(text[1:]) == text):
        assert unescape_formula(escape_formula(text)) == text


@given(ROWS, st.sampled_from(DELIMITERS))
def test_csv(rows: list[list[str]], delimiter: str) -> None:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
    writer.writerows([escape_formula(cell) for cell in row] for row in rows)
    escaped = escape_inside_cells(file.getvalue().encode(), delimiter).decode()
    found = list(csv.reader(io.StringIO(escaped, newline=""), delimiter=delimiter))
    for row, original in zip(found, rows, strict=True):
        for index, (cell, text) in enumerate(zip(row, original, strict=True)):
            inside = unescape_inside_cell(
                cell, delimiter, is_first=index == 0, is_last=index == len(row) - 1
            )
            assert unescape_formula(inside) == text
            assert cell == text or re.search(MARKED_FORMULA, cell)
