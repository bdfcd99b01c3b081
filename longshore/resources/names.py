"""Names in declarations: which are valid, proposals for others, and plurals of English names."""

import re
from collections.abc import Iterable

# Jobs, webhooks and mappings store the names of resources in columns of this length.
MAX_RESOURCE_NAME = 100
_RESOURCE_NAME = re.compile(rf"[a-z][a-z0-9_]{{0,{MAX_RESOURCE_NAME - 1}}}\Z")


def is_resource_name(text: str) -> bool:
    """Return whether a text can be the name or plural of a resource."""
    return bool(_RESOURCE_NAME.match(text))


def proposed_name(text: str) -> str:
    """Return a valid name for a resource that resembles a text."""
    kept = "".join(each if each.isascii() and each.isalnum() else "_" for each in text.lower())
    kept = re.sub("__+", "_", kept).strip("_")[: MAX_RESOURCE_NAME - 2]
    return kept if is_resource_name(kept) else f"r_{kept}"


def plural_of(name: str) -> str:
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith(("s", "x", "ch", "sh")) else f"{name}s"


def plurals(names: Iterable[str]) -> dict[str, str]:
    """Return names by their plurals. Plurals, and names of private columns, have none."""
    return {
        plural_of(name): name
        for name in names
        if not name.startswith("_")
        and (not name.endswith("s") or name.endswith(("ss", "us", "is")))
    }
