"""The texts that PostgreSQL can store."""

import re

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def storable(text: str) -> bool:
    """Return whether PostgreSQL can store a string: no NUL, no unpaired surrogate."""
    return not _UNSTORABLE.search(text)
