"""What a request shows: which fields of a record, and which related records inside of it.

`includes` and `fields` become one tree: at its root the record, below it what is included.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from exports.errors import ExportErrorCode
from exports.formats import formats
from exports.formats.base import Rows
from exports.spec import Nesting
from longshore.api.errors import BaseErrorCode, display_value
from longshore.api.suggestions import did_you_mean
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.includes import Include
from longshore.resources.registry import MAX_INCLUDE_DEPTH, Resource

EVERY = "*"
_PROPERTIES = "csv_field_options.properties"


# Takes a problem, as `Problem` has it.
Report = Callable[[BaseErrorCode, str, Any, str, Any], None]


@dataclass(frozen=True)
class Included:
    """columns: names of columns and included relations; None where the request does not say.

    dry: leave out what would clash in another organization, or is said by another column.
    warnings: what a table has no room for, in sentences.
    """

    columns: tuple[str, ...] | None = None
    includes: tuple[Include, ...] = ()
    dry: bool = False
    warnings: tuple[str, ...] = ()

    def kept(self, resource: Resource | None, names: Iterable[str]) -> tuple[str, ...]:
        """Of the names of a record's columns those that stay in the file."""
        left_out = set(_left_out(resource)) if self.dry and resource else ()
        return tuple(name for name in names if name not in left_out)


@dataclass
class _Record:
    """What is shown of one kind of record.

    path: of the relations that lead to it; "" is the record itself.
    resource: None where it has none of its own.
    names: of the columns that may be shown.
    every: those that are shown where none is named.
    columns, included: what was asked for so far, by name.
    """

    path: str
    resource: Resource | None
    names: tuple[str, ...]
    every: tuple[str, ...]
    columns: dict[str, None] = field(default_factory=dict)
    included: dict[str, "_Record"] = field(default_factory=dict)


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
        names = tuple(resource.columns_by_name)
        self._root = _Record("", resource, names, names)
        self._left_out: dict[str, None] = {}

    def read(self, body: Mapping[str, Any], *, dry: bool) -> Included:
        fields, includes = body.get("fields"), body.get("includes")
        nothing = Included(dry=dry)
        if fields is None and includes is None:
            # No id column is dropped here: ids stand for the related records. Only the embedded
            # records, of which no id column tells, are shown themselves.
            plain = (*self._resource.columns_by_name, *self._resource.embedded)
            return replace(nothing, columns=plain) if dry else nothing
        if fields is None:
            self._show(self._root, EVERY)
        for place, path in self._paths("fields", fields, ResourceErrorCode.INVALID_COLUMN):
            self._field(place, path)
        for place, path in self._paths("includes", includes, ExportErrorCode.INVALID_INCLUDE):
            self._include(place, path)
        if fields == []:
            self._report(ResourceErrorCode.INVALID_COLUMN, "fields", fields, "No field is chosen")
        if self.failed:
            return nothing
        for name in set(self._root.included) & set(self._root.columns):
            self._show(self._root.included[name], EVERY)
        includes = _tree(self._root, nothing)
        names = dict.fromkeys([*self._root.columns, *(each.relation for each in includes)])
        columns = nothing.kept(self._resource, names)
        return replace(nothing, columns=columns, includes=includes, warnings=self._warnings())

    def _warnings(self) -> tuple[str, ...]:
        text = "{} is left out: {} shows one level of related records, json and jsonl show all"
        return tuple(f"{text.format(path, self._format)}." for path in self._left_out)

    def nesting(self, properties: Any, nesting: Nesting) -> Nesting:
        """How a table is nested that shows the included records.

        properties: what the request says of it, if anything; `nesting` is what that means.
        """
        included = list(self._root.included)
        if not self._is_table or not included:
            return nesting
        code = ExportErrorCode.INVALID_INCLUDE
        repeated = [name for name in included if self._resource.related(name)[0].repeatable]
        if nesting is Nesting.FLATTEN or (repeated and properties == Nesting.MERGE):
            text = f"In {self._format} {nesting} is no way to show {' and '.join(included)}"
            accepted = [Nesting.REPEAT] if repeated else [Nesting.MERGE, Nesting.REPEAT]
            self._report(code, _PROPERTIES, properties, text, accepted)
        return Nesting.REPEAT if repeated else nesting

    def _paths(self, name: str, given: object, code: BaseErrorCode) -> Iterator[tuple[str, str]]:
        """The paths of a list, each with its place; each is taken once."""
        accepted = [*([EVERY] if name == "fields" else []), *self._resource.includable]
        if given is None:
            return
        if not isinstance(given, list):
            self._report(code, name, given, f"{name} must be a list of paths", accepted)
            return
        for index, path in enumerate(given):
            place = f"{name}.{index}"
            if not isinstance(path, str):
                self._report(code, place, path, f"{display_value(path)} is no path", accepted)
            elif path in given[:index]:
                self._report(code, place, path, f"{path} is named twice", "each path once")
            else:
                yield place, path

    def _include(self, place: str, path: str) -> None:
        record = self._root
        accepted = list(self._resource.includable)
        if path not in accepted:
            self._refuse(place, path, path, accepted)
            return
        steps = path.split(".")
        if self._is_table and len(steps) > 1:
            self._left_out[path] = None
            steps = steps[:1]
        for step in steps:
            new = step not in record.included
            record = self._inside(record, step)
            if new:
                self._show(record, EVERY)

    def _field(self, place: str, path: str) -> None:
        *steps, name = path.split(".")
        if path in self._resource.includable:
            steps, name = [*steps, name], EVERY
        accepted = self._resource.includable
        beside = [each for each in accepted if not (self._is_table and "." in each)]
        if steps and ".".join(steps) not in beside:
            self._refuse(place, path, ".".join(steps), beside)
            return
        record = self._root
        for step in steps:
            record = self._inside(record, step)
        if name != EVERY and name not in record.names:
            names = [EVERY, *record.names, *(() if steps else beside)]
            of = record.resource.name if record.resource else record.path
            text = f"{of} has no field {name!r}{did_you_mean(name, names)}"
            self._report(ResourceErrorCode.INVALID_COLUMN, place, path, text, names)
            return
        self._show(record, name)

    def _show(self, record: _Record, name: str) -> None:
        """Show a column of a record, or every one and with them the embedded relations."""
        if name != EVERY:
            record.columns[name] = None
            return
        record.columns |= dict.fromkeys(record.every)
        for relation in record.resource.embedded if record.resource else ():
            if record is self._root:
                # As where nothing is said of includes: an array in JSON, a cell in a table.
                record.columns[relation] = None
            elif self._is_table:
                self._left_out[f"{record.path}.{relation}"] = None
            else:
                self._show(self._inside(record, relation), EVERY)

    def _inside(self, record: _Record, name: str) -> _Record:
        """What is shown of the records of a relation."""
        if name not in record.included:
            if record.resource is None:
                raise LookupError(f"{record.path} has no relations")
            relation, resource = record.resource.related(name)
            names = tuple(resource.columns_by_name if resource else relation.columns)
            # One cell for all of them has room for what stands for a record.
            brief = resource is None or (self._is_table and relation.joined)
            path = f"{record.path}.{name}" if record.path else name
            every = relation.fields if brief else names
            record.included[name] = _Record(path, resource, names, every)
        return record.included[name]

    def _refuse(self, place: str, given: str, path: str, accepted: list[str]) -> None:
        """Complain of a path of relations that may not be included."""
        if path in self._resource.includable:
            text = f"{self._format} shows one level of relations: take json, or leave out {given}"
        elif path.count(".") >= MAX_INCLUDE_DEPTH:
            text = f"{given} has more than {MAX_INCLUDE_DEPTH} levels of relations"
        else:
            text = f"{self._resource.name} cannot include {path!r}{did_you_mean(path, accepted)}"
        self._report(ExportErrorCode.INVALID_INCLUDE, place, given, text, accepted)

    def _report(
        self, code: BaseErrorCode, field: str, value: Any, text: str, accepted: object = None
    ) -> None:
        self.failed = True
        self._report_problem(code, field, value, text, accepted)


def _tree(record: _Record, included: Included) -> tuple[Include, ...]:
    includes = (
        Include(name, included.kept(inner.resource, inner.columns), _tree(inner, included))
        for name, inner in record.included.items()
    )
    return tuple(each for each in includes if each.columns or each.includes)


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
