"""Includes: related records nested in a record with the columns of their own resource."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from longshore.api.errors import display_value
from longshore.api.suggestions import did_you_mean
from longshore.resources.registry import Resource


@dataclass(frozen=True)
class Include:
    """Related records that are nested in the record that has the relation.

    relation: name of the relation on the model.
    columns: names of the columns of each related record, in order.
    includes: further includes of each related record, placed after its columns.
    """

    relation: str
    columns: tuple[str, ...]
    includes: tuple["Include", ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Include":
        inner = tuple(map(cls.from_json, data["includes"]))
        return cls(data["relation"], tuple(data["columns"]), inner)


def whole_records(resource: Resource, paths: Iterable[str]) -> tuple[Include, ...]:
    """Return the includes of some paths, with all columns and embedded relations of each record.

    paths: of `Resource.includable`. A path includes the relations that lead to it.
    """
    inner: dict[str, list[str]] = {}
    for path in paths:
        name, _, rest = path.partition(".")
        inner.setdefault(name, []).extend([rest] if rest else [])
    includes = []
    for name, further in inner.items():
        relation, related = resource.related(name)
        if related is None:
            includes.append(Include(name, tuple(relation.columns)))
        else:
            within = whole_records(related, [*further, *related.embedded])
            includes.append(Include(name, tuple(related.columns_by_name), within))
    return tuple(includes)


def cannot_include(resource: Resource, path: str, accepted: Sequence[str]) -> str:
    """Return the message of the error for a path that is not one of the accepted paths."""
    hint = did_you_mean(path, accepted)
    return f"{resource.name} cannot include {display_value(path)}{hint}"


def included_resources(resource: Resource, includes: Iterable[Include]) -> Iterator[Resource]:
    """Yield the resources of the included records of a resource."""
    for include in includes:
        _, related = resource.related(include.relation)
        if related is not None:
            yield related
            yield from included_resources(related, include.includes)
