"""What somebody may have meant by an unknown name."""

from collections.abc import Sequence
from difflib import SequenceMatcher, get_close_matches
from heapq import nlargest

# The cost of a comparison is the product of the lengths.
_MAX_CHARACTERS = 100
_MAX_CANDIDATES = 20


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """The end of a message: the one of the names that is most like it, or ""."""
    if len(name) > _MAX_CHARACTERS:
        return ""
    matcher = SequenceMatcher()
    matcher.set_seq2(name)

    def likeness(candidate: str) -> float:
        """An upper bound, which counts letters only: a tenth of the cost."""
        matcher.set_seq1(candidate)
        return matcher.quick_ratio()

    close = get_close_matches(name, nlargest(_MAX_CANDIDATES, names, key=likeness), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
