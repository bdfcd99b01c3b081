"""Suggests the known name that is closest to an unknown name."""

from collections.abc import Sequence
from difflib import SequenceMatcher, get_close_matches
from heapq import nlargest

# The cost of a comparison is the product of the lengths.
_MAX_CHARACTERS = 100
_MAX_CANDIDATES = 20


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """Return the end of an error message: `. Did you mean 'status'?`, or `.` without a suggestion.

    name: the unknown name. names: the known names.
    """
    meant = closest(name, names)
    return "." if meant is None else f". Did you mean {meant!r}?"


def closest(name: str, names: Sequence[str]) -> str | None:
    """Return the known name that is closest to `name`, ignoring case; None if no name is close."""
    if len(name) > _MAX_CHARACTERS:
        return None
    folded = {each.lower(): each for each in names}
    name = name.lower()
    matcher = SequenceMatcher()
    matcher.set_seq2(name)

    def likeness(candidate: str) -> float:
        """Return an upper bound, which counts letters only: a tenth of the cost."""
        matcher.set_seq1(candidate)
        return matcher.quick_ratio()

    close = get_close_matches(name, nlargest(_MAX_CANDIDATES, folded, key=likeness), n=1)
    return folded[close[0]] if close else None
