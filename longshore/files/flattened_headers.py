r"""Headers of flattened columns: the path to a nested value, joined with dots.

`address.city` is the city of an address, `items.0.sku` the SKU of the first item. A dot or a
backslash inside a key is escaped with a backslash, so a header always splits back into its path:
the key `a.b` in the column `data` has the header `data.a\.b`.

A writer that puts other text between the keys joins the results of `escape_key` itself. A reader of
a file uses `split_header`.
"""

import re
from collections.abc import Iterable

# An escaped character, a dot between keys, or any other text.
_PIECE = re.compile(r"\\([\\.])|(\.)|([^\\.]+|\\)")


def escape_key(key: str) -> str:
    """Escape the dots and backslashes of one key."""
    return key.replace("\\", "\\\\").replace(".", "\\.")


def join_path(path: Iterable[str]) -> str:
    """Return the header of a path."""
    return ".".join(map(escape_key, path))


def split_header(header: str) -> tuple[str, ...]:
    """Return the path of a header; the inverse of `join_path` for paths of at least one key."""
    keys = [""]
    for escaped, dot, text in _PIECE.findall(header):
        if dot:
            keys.append("")
        else:
            keys[-1] += escaped or text
    return tuple(keys)
