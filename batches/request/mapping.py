"""Assigns targets to the headers of an input.

A batch uses names exactly as they stand: the explicit mapping, then names of targets, then the
headers that named exports write. Similar names are proposals of a preview only: see
`batches.request.proposals`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

from batches.conflicts import resolve_conflicts
from batches.errors import BatchErrorCode
from batches.missing_columns import find_missing
from batches.spec import Action, BatchSpec
from batches.targets import MAX_LISTED, Target, Targets, listed, not_a_target
from longshore.api.errors import MAX_PROBLEMS, Problem, display_value
from longshore.api.suggestions import did_you_mean
from longshore.resources.export_types import export_types

# The column that the file of failed rows has in addition to those of the input.
ERRORS_HEADER = "_errors"
# The key of that file for the text of a record that is not a JSON object.
SOURCE_KEY = "_source"


@dataclass(frozen=True)
class Assigned:
    """The targets of an input's headers.

    targets: of each header, in order; None for a header that the batch ignores.
    warnings: sentences about ignored headers.
    problems: why the batch cannot use the input; at most `MAX_PROBLEMS`.
    unknown: the positions of headers that are reported because no target has their name.
    ignores_repeated: whether an ignored header is that of a to-many relation, by whose records the
        rows are repeated.
    """

    targets: tuple[Target | None, ...]
    warnings: tuple[str, ...]
    problems: tuple[Problem, ...]
    unknown: tuple[int, ...]
    ignores_repeated: bool


def assign(
    headers: Sequence[str], spec: BatchSpec, targets: Targets, *, are_complete: bool = True
) -> Assigned:
    """Assign targets to the headers of an input.

    are_complete: whether the input has no other headers. If it may have, as JSON may, no missing
        columns are reported.
    """
    assignment = _Assignment(headers, spec, targets)
    found = assignment.find()
    resolved = resolve_conflicts(headers, found, set(dict(spec.mapping)))
    missing = find_missing(resolved.targets, spec, targets) if are_complete else ()
    # Unknown headers come last: there may be many.
    problems = chain(missing, resolved.problems, assignment.problems)
    warnings = (*assignment.warnings(), *resolved.warnings)
    first_problems = tuple(islice(problems, MAX_PROBLEMS))
    return Assigned(
        resolved.targets,
        warnings,
        first_problems,
        tuple(assignment.unknown),
        assignment.repeats_rows(resolved.targets),
    )


def export_headers(resource: str) -> Mapping[str, str]:
    """Return the path of each header that named exports of a resource write.

    A header that stands for different paths in different exports is left out.
    """
    paths: dict[str, set[str]] = {}
    for each in export_types.declared:
        if each.resource == resource:
            for path, header in each.columns.items():
                paths.setdefault(header, set()).add(path)
    return {header: path for header, (path, *others) in paths.items() if not others}


class _Assignment:
    """The assignment of one input, header by header."""

    def __init__(self, headers: Sequence[str], spec: BatchSpec, targets: Targets) -> None:
        self._headers = headers
        self._spec = spec
        self._mapping = dict(spec.mapping)
        self._targets = targets
        self._export_headers = export_headers(spec.resource)
        self._read_only: list[str] = []
        self._not_identifying: list[str] = []
        self.problems: list[Problem] = []
        self.unknown: list[int] = []

    def find(self) -> list[Target | None]:
        """Return the target of each header; collect problems and ignored headers."""
        found = [self._find(header, number) for number, header in enumerate(self._headers, 1)]
        if self._spec.action is not Action.DELETE:
            return found
        return list(self._identifying(found))

    def repeats_rows(self, found: Sequence[Target | None]) -> bool:
        """Return whether an ignored header is that of a to-many relation. found: the targets."""
        return any(
            target is None and self._targets.repeats_rows(self._export_headers.get(header, header))
            for header, target in zip(self._headers, found, strict=True)
        )

    def warnings(self) -> Iterator[str]:
        """Yield sentences about ignored headers, and about entries of the mapping without one."""
        if self._read_only:
            yield f"The batch ignores read-only columns: {listed(self._read_only)}."
        if self._not_identifying:
            names = listed(self._not_identifying)
            yield f"A deletion ignores columns that do not identify records: {names}."
        for header in islice(self._unused(), MAX_LISTED):
            hint = did_you_mean(header, self._headers)
            yield f"The mapping names {display_value(header)}, which the input does not have{hint}"

    def _find(self, header: str, number: int) -> Target | None:
        name = self._mapping.get(header, header)
        if name is None:
            return None
        if header not in self._mapping and self._targets.find(name) is None:
            name = self._export_headers.get(header, header)
        if target := self._targets.find(name):
            return target if name == header else replace(target, header=header)
        if header in self._mapping:
            text = not_a_target(self._targets, name)
            self._refuse(BatchErrorCode.INVALID_MAPPING, header, text)
        elif self._spec.action is Action.DELETE:
            self._not_identifying.append(header)
        elif self._targets.is_read_only(name):
            self._read_only.append(header)
        elif header != ERRORS_HEADER:
            self.unknown.append(number - 1)
            # Suggestions are expensive, and nobody sees further problems.
            if len(self.problems) < MAX_PROBLEMS:
                self._refuse(BatchErrorCode.UNKNOWN_COLUMN, header, self._unknown(header, number))
        return None

    def _unknown(self, header: str, number: int) -> str:
        resource = self._spec.resource
        if not header.strip():
            return f"Column {number} of the input has no header."
        hint = did_you_mean(header, [*self._targets.names, *self._export_headers])
        return (
            f"{resource} has no column {display_value(header)} (column {number} of the input){hint}"
        )

    def _identifying(self, found: Iterable[Target | None]) -> Iterator[Target | None]:
        key = {column.name for column in (self._targets.primary_key, *self._targets.key)}
        for header, target in zip(self._headers, found, strict=True):
            if target and target.sets not in key:
                self._not_identifying.append(header)
                yield None
            else:
                yield target

    def _unused(self) -> Iterator[str]:
        present = set(self._headers)
        return (header for header in self._mapping if header not in present)

    def _refuse(self, code: BatchErrorCode, header: str, text: str) -> None:
        self.problems.append(Problem(code, header, header, text, self._targets.names))
