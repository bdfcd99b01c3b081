"""Finds headers that set the same value of a record.

An input may write one relation in several columns, or in different columns of different records:
`location_id`, and `location` with the name of the location. A batch reads all of them: for each row
the first one that has a value decides, and another one that contradicts it is an error of the row
(`batches.validation`). Two headers for the same target are an error of the batch.

The records of a one-to-many relation are read in one form only: see `batches.parts`.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from batches.errors import BatchErrorCode
from batches.targets import Target, listed
from longshore.api.errors import MAX_PROBLEMS, Problem, display_value


@dataclass(frozen=True)
class Resolved:
    """The targets of the headers; see `mapping.Assigned`."""

    targets: tuple[Target | None, ...]
    warnings: tuple[str, ...]
    problems: tuple[Problem, ...]


def resolve_conflicts(
    headers: Sequence[str], targets: Sequence[Target | None], mapped: Collection[str]
) -> Resolved:
    """Return the targets that a batch uses, at most one of each name.

    mapped: the headers that the request's mapping names. They take precedence over names.
    """
    conflicts = _Conflicts(headers, list(targets), mapped)
    conflicts.choose_forms()
    problems = tuple(islice(conflicts.problems(), MAX_PROBLEMS))
    return Resolved(tuple(conflicts.targets), tuple(conflicts.warnings()), problems)


def _identity(target: Target) -> object:
    """Return the identity of a target; two headers with equal identities conflict."""
    inner = target.inner and target.inner.name
    return target.sets, target.path, target.index, target.relation is None, target.by, inner


def _parts(target: Target) -> object:
    """Return the relation whose parts a target sets; None for another target."""
    return target.sets if target.has_parts else None


def _form(target: Target) -> object:
    return target.index is not None, target.inner is not None


class _Conflicts:
    def __init__(
        self, headers: Sequence[str], targets: list[Target | None], mapped: Collection[str]
    ) -> None:
        self._headers = headers
        self._mapped = mapped
        # For each relation, the headers that the batch does not use.
        self._dropped: dict[str, list[str]] = {}
        self.targets = targets

    def choose_forms(self) -> None:
        """Use the parts of a record in one form: as a whole, by their positions, or by rows that
        repeat the record."""
        for positions in self._grouped(_parts):
            best = _form(self._target(min(positions, key=self._rank)))
            for each in positions:
                if _form(self._target(each)) != best:
                    self._drop(each)

    def warnings(self) -> Iterator[str]:
        """Yield a sentence for each relation that has unused headers."""
        for name, dropped in self._dropped.items():
            used = [
                header
                for header, target in zip(self._headers, self.targets, strict=True)
                if target and target.sets == name
            ]
            yield f"The batch reads {name} from {listed(used)} and ignores {listed(dropped)}."

    def problems(self) -> Iterator[Problem]:
        """Yield a problem for each header that has the same target as an earlier one."""
        for first, *others in self._grouped(_identity):
            for each in others:
                one, other = (
                    f"{display_value(self._headers[position])} (column {position + 1})"
                    for position in (first, each)
                )
                target = self._target(each)
                text = f"The headers {one} and {other} both set {target.name}."
                accepted = "one header for each column; map others to null to ignore them"
                header = self._headers[each]
                yield Problem(BatchErrorCode.INVALID_MAPPING, header, target.name, text, accepted)

    def _grouped(self, key: Callable[[Target], object]) -> list[list[int]]:
        """Return the positions of the headers whose targets have the same key; None has none."""
        groups: dict[object, list[int]] = {}
        for position, target in enumerate(self.targets):
            if target is not None and (value := key(target)) is not None:
                groups.setdefault(value, []).append(position)
        return list(groups.values())

    def _rank(self, position: int) -> tuple[bool, bool, int]:
        """Return a sort key: lower for the header whose form is used."""
        is_whole = self._target(position).inner is None
        return self._headers[position] not in self._mapped, is_whole, position

    def _drop(self, position: int) -> None:
        dropped = self._dropped.setdefault(self._target(position).sets, [])
        dropped.append(self._headers[position])
        self.targets[position] = None

    def _target(self, position: int) -> Target:
        target = self.targets[position]
        if target is None:
            raise LookupError(position)
        return target
