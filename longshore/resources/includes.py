"""Includes: related records nested in a record with the columns of their own resource."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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
