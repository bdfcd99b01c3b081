"""What a resource declares for batches, beyond its columns: rules, and a hook after each write."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

# The actions of batches.
ACTIONS = ("merge", "overwrite", "delete")


@dataclass(frozen=True)
class Rule:
    """A test that each record of a batch must pass.

    condition: SQL of a boolean. `{row}` stands for the alias of the record as it would be after the
        write, with the columns of its table; other braces are doubled. A null passes.
    message: the error of a record that fails, as a sentence.
    column: the column that the error names; empty for an error of the whole record.
    """

    condition: str
    message: str
    column: str = ""


@dataclass(frozen=True)
class Written:
    """The records that one chunk of a batch has written; keys are primary keys."""

    organization_id: str
    created: Sequence[Any]
    updated: Sequence[Any]
    deleted: Sequence[Any]


# Called in the transaction of the chunk: an error rolls the chunk back and fails the attempt.
# Batches send none of Django's signals; this hook replaces them, once for each chunk.
AfterWrite: TypeAlias = Callable[[Written], None]
