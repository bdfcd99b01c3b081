"""Which paths of relations a request may include."""

from collections.abc import Sequence
from typing import Protocol, Self

from longshore.resources.relations import Relation

# Relations in the path of an include.
MAX_INCLUDE_DEPTH = 3


class Including(Protocol):
    """A resource. Its attributes are those of `longshore.resources.registry.Resource`."""

    @property
    def includes(self) -> Sequence[str]: ...
    @property
    def embedded(self) -> Sequence[str]: ...
    def related(self, name: str) -> tuple[Relation, Self | None]: ...


def includable_paths(resource: Including) -> tuple[str, ...]:
    """Return the paths that a request may include.

    The declared paths, their prefixes, and the embedded relations of the records at their ends.
    """
    steps = (path.split(".") for path in resource.includes)
    prefixes = [".".join(each[: end + 1]) for each in steps for end in range(len(each))]
    paths = list(dict.fromkeys(prefixes))
    for path in paths[:]:
        related = _resource_at(resource, path)
        if related and path.count(".") + 1 < MAX_INCLUDE_DEPTH:
            paths += [f"{path}.{name}" for name in related.embedded]
    return tuple(dict.fromkeys([*paths, *resource.embedded]))


def _resource_at(resource: Including, path: str) -> Including | None:
    """Return the resource at the end of a path of relations; None without one."""
    found: Including | None = resource
    for step in path.split("."):
        try:
            found = found.related(step)[1] if found else None
        except LookupError:  # System checks report it.
            return None
    return found
