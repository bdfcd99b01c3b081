"""Detects the delimiter and the quote of a CSV file."""

import io
import re
from collections.abc import Sequence

from batches.errors import BatchErrorCode
from batches.parsing.dialect import Dialect
from batches.parsing.errors import InputError
from longshore.api.errors import display_value
from longshore.files.csv_dialect import DELIMITERS
from longshore.files.formulas import unescape_formula

# Characters that CleverCSV scores: its time grows with them.
_SCORED_CHARACTERS = 1 << 14
# A delimiter is chosen if its score is this many times the next one.
_CLEAR_RATIO = 2.0
_QUOTES = ('"', "'")
_IN_APOSTROPHES = re.compile(r"'(?:[^']|'')+'")
_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a vertical bar"}


def detect_delimiter(sample: str, quote: str | None, *, is_complete: bool) -> tuple[str, bool]:
    """Return the delimiter of a CSV file, and whether it is certain.

    A file with a single column has no delimiter: the result is a comma.
    sample: the beginning of the file, with at least the header.
    quote: as in `Dialect`.
    is_complete: whether the sample is the whole file.
    Raises InputError if several delimiters are as probable.
    """
    widths = {
        each: _widths(sample, Dialect(each, quote), is_complete=is_complete) for each in DELIMITERS
    }
    in_header = [each for each in DELIMITERS if widths[each][:1] > [1]]
    if not in_header:
        return DELIMITERS[0], True
    in_rows = [each for each in in_header if max(widths[each][1:], default=2) > 1]
    if not in_rows:
        raise _ambiguous([*map(_NAMES.__getitem__, in_header), "none, for a single column"])
    if len(in_rows) == 1:
        return in_rows[0], True
    regular = [each for each in in_rows if len(set(widths[each])) == 1 < len(widths[each])]
    if len(regular) == 1:
        return regular[0], True
    return _most_probable(sample, quote, regular or in_rows), False


def detect_quote(sample: str, delimiter: str | None, *, is_complete: bool) -> str:
    """Return the quote of a CSV file: a quotation mark, unless the sample shows apostrophes.

    It does if all headers are in apostrophes. It also does if no header is in quotation marks, and
    all rows have as many cells as the header with apostrophes as quotes, but not with quotation
    marks.
    delimiter: None if it is not known.
    """
    delimiters = DELIMITERS if delimiter is None else (delimiter,)
    if "'" not in sample:
        return _QUOTES[0]
    for each in delimiters:
        header = next(Dialect(each).rows(io.StringIO(sample, newline="")), [""])
        if all(map(_IN_APOSTROPHES.fullmatch, header)):
            return _QUOTES[1]
        unquoted = next(Dialect(each, None).rows(io.StringIO(sample, newline="")), [""])
        if any(cell.startswith(_QUOTES[0]) for cell in unquoted):
            return _QUOTES[0]
    for quote in _QUOTES:
        for each in delimiters:
            widths = _widths(sample, Dialect(each, quote), is_complete=is_complete)
            if len(set(widths)) == 1 < len(widths) and widths[0] > 1:
                return quote
    return _QUOTES[0]


def apostrophes_kept(sample: str, dialect: Dialect) -> str | None:
    """Return a warning if a value of the sample is in apostrophes that do not quote it."""
    rows = dialect.rows(io.StringIO(sample, newline=""))
    next(rows, None)
    for number, row in enumerate(rows, 1):
        for cell in filter(_IN_APOSTROPHES.fullmatch, row):
            if unescape_formula(cell) == cell:
                return (
                    f"The value {display_value(cell)} in row {number:,} keeps its apostrophes. Set"
                    " `quote` if apostrophes quote the cells."
                )
    return None


def _widths(sample: str, dialect: Dialect, *, is_complete: bool) -> list[int]:
    """Return the numbers of cells of the header and of each row that the sample has completely."""
    widths = [len(row) for row in dialect.rows(io.StringIO(sample, newline=""))]
    return widths if is_complete or len(widths) < 2 else widths[:-1]


def _most_probable(sample: str, quote: str | None, delimiters: Sequence[str]) -> str:
    # The import takes most of a second, and few files need it.
    from clevercsv.consistency import ConsistencyDetector
    from clevercsv.dialect import SimpleDialect

    dialects = [SimpleDialect(each, quote or "", "") for each in delimiters]
    detector = ConsistencyDetector(skip=False)
    scores = detector.compute_consistency_scores(sample[:_SCORED_CHARACTERS], dialects)
    ranked = sorted((score.Q or 0.0, dialect.delimiter or "") for dialect, score in scores.items())
    (next_score, _), (best_score, best) = ranked[-2:]
    if best_score < _CLEAR_RATIO * next_score:
        raise _ambiguous([_NAMES[each] for each in delimiters])
    return best


def _ambiguous(names: Sequence[str]) -> InputError:
    *others, last = names
    return InputError(
        f"The delimiter may be {', '.join(others)} or {last}. Set `delimiter`, or quote the cells "
        "that contain one.",
        BatchErrorCode.AMBIGUOUS_INPUT,
    )
