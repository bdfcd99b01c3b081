"""What somebody may have meant by an unknown name."""

from collections.abc import Sequence
from difflib import get_close_matches

_MAX_CHARACTERS = 100


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """The end of a message: the one of the names that is most like it, or ""."""
    # The comparison takes the product of the lengths.
    if len(name) > _MAX_CHARACTERS:
        return ""
    close = get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
