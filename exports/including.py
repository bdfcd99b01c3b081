"""What a request shows: which fields of a record, and which related records inside of it.

`includes` and `fields` become one tree: at its root the record, below it what is included.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from accounts.errors import ErrorCode
from exports.formats import formats
from exports.formats.base import Rows
from exports.spec import Nesting
from resources.includes import Include
from resources.registry import DEEPEST_INCLUDE, Resource, registry
from resources.suggestions import did_you_mean
from resources.values import shown

EVERY = "*"
_PROPERTIES = "csv_field_options.properties"


# Takes a problem, as `Problem` has it.
Report = Callable[[ErrorCode, str, Any, str, Any], None]


@dataclass(frozen=True)
class Included:
    """columns: names of columns and included relations; None where the request does not say.

    dry: leave out what would clash in another organization, or is said by another column.
    """

    columns: tuple[str, ...] | None = None
    includes: tuple[Include, ...] = ()
    dry: bool = False

    def kept(self, resource: Resource, names: Iterable[str]) -> tuple[str, ...]:
        """Of names those that stay in the file."""
        left_out = set(_left_out(resource)) if self.dry else ()
        return tuple(name for name in names if name not in left_out)


@dataclass
class _Record:
    """What is shown of one kind of record.

    every: its columns where none is named.
    columns, included: what was asked for so far, by name.
    """

    resource: Resource
    every: tuple[str, ...]
    columns: dict[str, None] = field(default_factory=dict)
    included: dict[str, "_Record"] = field(default_factory=dict)

    def show(self, name: str) -> None:
        self.columns |= dict.fromkeys(self.every if name == EVERY else [name])


class Including:
    """Reads `includes` and `fields`.

    report: takes each problem.
    failed: whether there was one.
    """

    def __init__(self, resource: Resource, file_format: str, report: Report) -> None:
        self.failed = False
        self._report_problem = report
        self._resource = resource
        self._format = file_format
        self._is_table = formats[file_format].rows is not Rows.JSON
        self._root = _Record(resource, tuple(resource.columns_by_name))

    def read(self, body: Mapping[str, Any], *, dry: bool) -> Included:
        fields, includes = body.get("fields"), body.get("includes")
        nothing = Included(dry=dry)
        if fields is None and includes is None:
            return replace(nothing, columns=tuple(_plain(self._resource))) if dry else nothing
        if fields is None:
            self._root.show(EVERY)
        for place, path in self._paths("fields", fields, ErrorCode.INVALID_COLUMN):
            self._field(place, path)
        for place, path in self._paths("includes", includes, ErrorCode.INVALID_INCLUDE):
            self._include(place, path)
        if fields == []:
            self._report(ErrorCode.INVALID_COLUMN, "fields", fields, "No field is chosen")
        if self.failed:
            return nothing
        includes = _tree(self._root, nothing)
        names = [*self._root.columns, *(include.relation for include in includes)]
        return Included(nothing.kept(self._resource, names), includes, dry)

    def nesting(self, properties: Any, nesting: Nesting) -> Nesting:
        """How a table is nested that shows the included records.

        properties: what the request says of it, if anything; `nesting` is what that means.
        """
        included = list(self._root.included)
        if not self._is_table or not included:
            return nesting
        code = ErrorCode.INVALID_INCLUDE
        repeated = [name for name in included if self._resource.related(name)[0].repeatable]
        if nesting is Nesting.FLATTEN or (repeated and properties == Nesting.MERGE):
            text = f"In {self._format} {nesting} is no way to show {' and '.join(included)}"
            accepted = [Nesting.REPEAT] if repeated else [Nesting.MERGE, Nesting.REPEAT]
            self._report(code, _PROPERTIES, properties, text, accepted)
        if len(repeated) > 1:
            text = (
                f"In {self._format} rows are repeated for the records of one relation, and "
                f"{' and '.join(repeated)} would multiply them: include one, or take json"
            )
            self._report(code, "includes", repeated, text, "one of them, or the format json")
        return Nesting.REPEAT if repeated else nesting

    def _paths(self, name: str, given: object, code: ErrorCode) -> Iterator[tuple[str, str]]:
        """The paths of a list, each with its place; each is taken once."""
        accepted = [EVERY, *self._resource.includable] if name == "fields" else self._accepted()
        if given is None:
            return
        if not isinstance(given, list):
            self._report(code, name, given, f"{name} must be a list of paths", accepted)
            return
        for index, path in enumerate(given):
            place = f"{name}.{index}"
            if not isinstance(path, str):
                self._report(code, place, path, f"{shown(path)} is no path", accepted)
            elif path in given[:index]:
                self._report(code, place, path, f"{path} is named twice", "each path once")
            else:
                yield place, path

    def _include(self, place: str, path: str) -> None:
        record = self._root
        if not self._allowed(place, path, path):
            return
        for step in path.split("."):
            new = step not in record.included
            record = self._inside(record, step)
            if new:
                record.show(EVERY)

    def _field(self, place: str, path: str) -> None:
        *steps, name = path.split(".")
        if path in self._resource.includable:
            steps, name = [*steps, name], EVERY
        if steps and not self._allowed(place, path, ".".join(steps)):
            return
        resource = self._resource
        for step in steps:
            _, resource = resource.related(step)
        if name != EVERY and name not in resource.columns_by_name:
            names = [EVERY, *resource.columns_by_name, *(() if steps else self._accepted())]
            text = f"{resource.name} has no field {name!r}{did_you_mean(name, names)}"
            self._report(ErrorCode.INVALID_COLUMN, place, path, text, names)
            return
        record = self._root
        for step in steps:
            record = self._inside(record, step)
        record.show(name)

    def _inside(self, record: _Record, name: str) -> _Record:
        """What is shown of the records of a relation."""
        if name not in record.included:
            relation, resource = record.resource.related(name)
            # One cell for all of them has room for what stands for a record.
            brief = self._is_table and relation.joined
            every = relation.fields if brief else tuple(resource.columns_by_name)
            record.included[name] = _Record(resource, every)
        return record.included[name]

    def _allowed(self, place: str, given: str, path: str) -> bool:
        """Whether a path of relations may be included; complains where it may not."""
        named, accepted = self._resource.name, self._accepted()
        if path in accepted:
            return True
        if path in self._resource.includable:
            text = f"{self._format} shows one level of relations: take json, or leave out {given}"
        elif path.count(".") >= DEEPEST_INCLUDE:
            text = f"{given} has more than {DEEPEST_INCLUDE} levels of relations"
        else:
            text = f"{named} cannot include {path!r}{did_you_mean(path, accepted)}"
        self._report(ErrorCode.INVALID_INCLUDE, place, given, text, accepted)
        return False

    def _accepted(self) -> list[str]:
        """The paths that may be included, in this format."""
        paths = self._resource.includable
        return [path for path in paths if not (self._is_table and "." in path)]

    def _report(
        self, code: ErrorCode, field: str, value: Any, text: str, accepted: object = None
    ) -> None:
        self.failed = True
        self._report_problem(code, field, value, text, accepted)


def _tree(record: _Record, included: Included) -> tuple[Include, ...]:
    includes = (
        Include(name, included.kept(inner.resource, inner.columns), _tree(inner, included))
        for name, inner in record.included.items()
    )
    return tuple(each for each in includes if each.columns or each.includes)


def _plain(resource: Resource) -> Iterator[str]:
    """What dry data has of a record without being asked: its columns, where ids stand for related
    records, but for those that are no resource and so can be shown in no other way."""
    yield from resource.columns_by_name
    for name, relation in resource.relations_by_name.items():
        if registry.for_model(relation.target) is None:
            yield name


def _left_out(resource: Resource) -> Iterator[str]:
    """The columns that dry data has not: they clash elsewhere, or say again what another does."""
    organization, _, further = resource.organization.partition("__")
    fields = {resource.model._meta.pk.name, organization if not further else None}
    columns = resource.columns_by_name
    for name, column in columns.items():
        own = column.field is not None and column.field in fields
        amount = name.removeprefix("formatted_").removesuffix("_float")
        said = amount != name and f"{amount}_cents" in columns
        if own or said or name in ("created_at", "updated_at"):
            yield name
