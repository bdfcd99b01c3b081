"""The texts that PostgreSQL can store."""

import re

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
# PostgreSQL cuts identifiers, such as the names of columns, after this number of bytes.
MAX_NAME_BYTES = 63


def storable(text: str) -> bool:
    """Return whether PostgreSQL can store a string: no NUL, no unpaired surrogate."""
    return not _UNSTORABLE.search(text)
