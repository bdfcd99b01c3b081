"""Includes: related records that stand inside a record with all that their resource shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Include:
    """The records of a relation, inside the record that has it.

    relation: its name on the model.
    columns: of each related record, in order.
    includes: what stands inside each, after its columns.
    """

    relation: str
    columns: tuple[str, ...]
    includes: tuple["Include", ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Include":
        inner = tuple(map(cls.from_json, data["includes"]))
        return cls(data["relation"], tuple(data["columns"]), inner)
