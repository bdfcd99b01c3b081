"""Parses `includes` and `fields`: the fields of a record, and the related records inside of it.

Both become one tree: its root is the record, its children are the included relations.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from exports.formats import formats
from exports.formats.base import Rows
from exports.spec import PROPERTIES_FIELD, Nesting
from longshore.api.errors import BaseErrorCode, Problems, display_value
from longshore.api.suggestions import did_you_mean
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.include_paths import MAX_INCLUDE_DEPTH
from longshore.resources.includes import Include, cannot_include
from longshore.resources.registry import Resource

EVERY_COLUMN = "*"


@dataclass(frozen=True)
class RequestedIncludes:
    """The columns and related records that a request selects by `includes` and `fields`.

    columns: names of columns and included relations; None if the request has neither field.
    is_dry: whether the request sets `dry_data`.
    warnings: sentences about requested paths that a table cannot show.
    """

    columns: tuple[str, ...] | None = None
    includes: tuple[Include, ...] = ()
    is_dry: bool = False
    warnings: tuple[str, ...] = ()

    def names_kept(self, resource: Resource | None, names: Iterable[str]) -> tuple[str, ...]:
        """Return the names that the request keeps: without those that `dry_data` leaves out."""
        left_out = set(_dropped_from_dry_data(resource)) if self.is_dry and resource else ()
        return tuple(name for name in names if name not in left_out)


@dataclass
class _Node:
    """The selection from one kind of record, while it is parsed.

    path: the relations that lead to it from the exported record; "" is the record itself.
    resource: None if its model is not a resource.
    names: the columns that may be selected.
    default_names: the columns that the relation alone selects.
    columns: the columns selected so far.
    children: the relations included so far, by name.
    """

    path: str
    resource: Resource | None
    names: tuple[str, ...]
    default_names: tuple[str, ...]
    columns: dict[str, None] = field(default_factory=dict)
    children: dict[str, "_Node"] = field(default_factory=dict)


class IncludeParser:
    """Parses `includes` and `fields` of one request.

    has_failed: whether a problem was reported.
    """

    def __init__(self, resource: Resource, file_format: str, problems: Problems) -> None:
        self.has_failed = False
        self._problems = problems
        self._resource = resource
        self._format = file_format
        self._is_table = formats[file_format].rows is not Rows.JSON
        names = tuple(resource.columns_by_name)
        self._root = _Node("", resource, names, names)
        self._too_deep: dict[str, None] = {}

    def parse(self, fields: Any, includes: Any, *, is_dry: bool) -> RequestedIncludes:
        """Return the selection; the default one if a problem was reported.

        fields, includes: as the request has them; None if it does not.
        """
        default = RequestedIncludes(is_dry=is_dry)
        if fields is None and includes is None:
            # Dry data drops no id column of a relation here: without includes, the ids represent
            # the related records. Embedded records have no id column, so they are included.
            plain = (*self._resource.columns_by_name, *self._resource.embedded)
            return replace(default, columns=plain) if is_dry else default
        if fields is None:
            self._select(self._root, EVERY_COLUMN)
        for field_path, path in self._paths("fields", fields, ResourceErrorCode.INVALID_COLUMN):
            self._add_field(field_path, path)
        for field_path, path in self._paths(
            "includes", includes, ResourceErrorCode.INVALID_INCLUDE
        ):
            self._add_include(field_path, path)
        if fields == []:
            text = "fields is empty: name at least one field."
            accepted = self._accepted_paths("fields")
            self._report(ResourceErrorCode.INVALID_COLUMN, "fields", fields, text, accepted)
        if self.has_failed:
            return default
        for name in set(self._root.children) & set(self._root.columns):
            self._select(self._root.children[name], EVERY_COLUMN)
        tree = _tree(self._root, default)
        names = dict.fromkeys([*self._root.columns, *(each.relation for each in tree)])
        columns = default.names_kept(self._resource, names)
        return replace(default, columns=columns, includes=tree, warnings=self._warnings())

    def _warnings(self) -> tuple[str, ...]:
        text = "{} is left out: {} shows one level of related records, json and jsonl show all."
        return tuple(text.format(path, self._format) for path in self._too_deep)

    def nesting(self, properties: Any, nesting: Nesting) -> Nesting:
        """Return the nesting of a table that shows the included records.

        properties: the value in the request; None if it has none.
        nesting: the value that applies without includes.
        """
        included = list(self._root.children)
        if not self._is_table or not included:
            return nesting
        repeated = [name for name in included if self._resource.related(name)[0].repeatable]
        if nesting is Nesting.FLATTEN or (repeated and properties == Nesting.MERGE):
            text = (
                f"A {self._format} file cannot show the included records of "
                f"{' and '.join(included)} with {PROPERTIES_FIELD} {nesting.value!r}."
            )
            accepted = [Nesting.REPEAT] if repeated else [Nesting.MERGE, Nesting.REPEAT]
            code = ResourceErrorCode.INVALID_INCLUDE
            self._report(code, PROPERTIES_FIELD, properties, text, accepted)
        return Nesting.REPEAT if repeated else nesting

    def _accepted_paths(self, name: str) -> list[str]:
        return [*([EVERY_COLUMN] if name == "fields" else []), *self._resource.includable]

    def _paths(self, name: str, given: Any, code: BaseErrorCode) -> Iterator[tuple[str, str]]:
        """Yield each valid path of a list, after its field path in the request."""
        accepted = self._accepted_paths(name)
        if given is None:
            return
        if not isinstance(given, list):
            text = f"{name} must be a list of paths, not {display_value(given)}."
            self._report(code, name, given, text, accepted)
            return
        seen: set[str] = set()
        for index, path in enumerate(given):
            field_path = f"{name}.{index}"
            if not isinstance(path, str):
                text = f"{display_value(path)} is not a path."
                self._report(code, field_path, path, text, accepted)
            elif path in seen:
                text = f"{display_value(path)} is listed twice."
                self._report(code, field_path, path, text, "each path once")
            else:
                seen.add(path)
                yield field_path, path

    def _add_include(self, field_path: str, path: str) -> None:
        node = self._root
        accepted = self._accepted_paths("includes")
        if path not in accepted:
            self._refuse(field_path, path, path, accepted)
            return
        steps = path.split(".")
        if self._is_table and len(steps) > 1:
            self._too_deep[path] = None
            steps = steps[:1]
        for step in steps:
            is_new = step not in node.children
            node = self._child(node, step)
            if is_new:
                self._select(node, EVERY_COLUMN)

    def _add_field(self, field_path: str, path: str) -> None:
        *steps, name = path.split(".")
        if path in self._resource.includable:
            steps, name = [*steps, name], EVERY_COLUMN
        accepted = self._resource.includable
        reachable = [each for each in accepted if not (self._is_table and "." in each)]
        if steps and ".".join(steps) not in reachable:
            self._refuse(field_path, path, ".".join(steps), reachable)
            return
        node = self._root
        for step in steps:
            node = self._child(node, step)
        if name != EVERY_COLUMN and name not in node.names:
            names = [EVERY_COLUMN, *node.names, *(() if steps else reachable)]
            owner = node.resource.name if node.resource else node.path
            text = f"{owner} has no field {display_value(name)}{did_you_mean(name, names)}"
            self._report(ResourceErrorCode.INVALID_COLUMN, field_path, path, text, names)
            return
        self._select(node, name)

    def _select(self, node: _Node, name: str) -> None:
        """Select a column of a record, or every column and with them the embedded relations."""
        if name != EVERY_COLUMN:
            node.columns[name] = None
            return
        node.columns |= dict.fromkeys(node.default_names)
        for relation in node.resource.embedded if node.resource else ():
            if node is self._root:
                # The same column as without includes: an array in JSON, a cell in a table.
                node.columns[relation] = None
            elif self._is_table:
                self._too_deep[f"{node.path}.{relation}"] = None
            else:
                self._select(self._child(node, relation), EVERY_COLUMN)

    def _child(self, node: _Node, name: str) -> _Node:
        """Return the node of a relation. Add it if it does not exist."""
        if name not in node.children:
            if node.resource is None:
                raise LookupError(f"{node.path} has no relations")
            relation, resource = node.resource.related(name)
            names = tuple(resource.columns_by_name if resource else relation.columns)
            # A relation joined into one cell shows the identifying fields only.
            is_brief = resource is None or (self._is_table and relation.joined)
            path = f"{node.path}.{name}" if node.path else name
            default_names = relation.fields if is_brief else names
            node.children[name] = _Node(path, resource, names, default_names)
        return node.children[name]

    def _refuse(self, field_path: str, given: str, path: str, accepted: list[str]) -> None:
        """Report a path of relations that cannot be included."""
        if path in self._resource.includable:
            text = (
                f"{self._format} shows one level of related records, and {display_value(given)} "
                "has more. Use json or jsonl, or leave it out."
            )
        elif path.count(".") >= MAX_INCLUDE_DEPTH:
            text = f"{display_value(given)} has more than {MAX_INCLUDE_DEPTH} levels of relations."
        else:
            text = cannot_include(self._resource, path, accepted)
        self._report(ResourceErrorCode.INVALID_INCLUDE, field_path, given, text, accepted)

    def _report(
        self, code: BaseErrorCode, field: str, value: Any, text: str, accepted: object
    ) -> None:
        self.has_failed = True
        self._problems.report(code, field, value, text, accepted)


def _tree(node: _Node, requested: RequestedIncludes) -> tuple[Include, ...]:
    includes = (
        Include(name, requested.names_kept(child.resource, child.columns), _tree(child, requested))
        for name, child in node.children.items()
    )
    return tuple(each for each in includes if each.columns or each.includes)


def _dropped_from_dry_data(resource: Resource) -> Iterator[str]:
    """Yield the columns that another organization cannot import, or that repeat another column."""
    organization, _, further = (resource.organization or "").partition("__")
    fields = {organization} if not further else set()
    if resource.writable_key is None:
        fields.add(resource.model._meta.pk.name)
    columns = resource.columns_by_name
    for name, column in columns.items():
        is_own = column.field is not None and column.field in fields
        amount = name.removeprefix("formatted_").removesuffix("_float")
        is_repeated = amount != name and f"{amount}_cents" in columns
        if is_own or is_repeated or name in ("created_at", "updated_at"):
            yield name
