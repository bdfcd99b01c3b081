"""Parses the query parameters of JSON:API: pages, order, filters, fields and includes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.db.models import Expression, Model, OrderBy, Q, QuerySet, TextField
from rest_framework.request import Request

from dialects.base.pages import NumberedPage, PageParameters, PageRequest
from longshore.api.errors import ErrorCode, InvalidInput, Problem, Problems
from longshore.api.suggestions import did_you_mean
from longshore.resources.api.list_filters import Satisfies
from longshore.resources.columns import Column, ColumnType, field_column
from longshore.resources.comparisons import Operator
from longshore.resources.conditions import AnyOf, Condition
from longshore.resources.predicates import parse_predicates
from longshore.resources.registry import Resource
from longshore.resources.timezones import UTC

PAGES = PageParameters("page[number]", "page[size]", default_size=10, max_size=25)
_SORT, _INCLUDE = "sort", "include"
_FIELDS, _FILTER = "fields[", "filter[q]["
_MAX_SORTS = 5
_EQUALITY = (Operator.EQUALS, Operator.IN)

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Kind(Generic[M]):
    """A type of JSON:API objects, and how lists of it are filtered and sorted.

    name: the type in addresses and documents.
    model: of the rows. Its `number` is unique and rises.
    columns: for filters and orders; each name is also an attribute.
    attributes: names of all attributes.
    order: of a list without one.
    stored: returns the rows whose column has one of some values, by the fields that the table has:
        an index serves them, and none serves the expression of a column.
    relationships: names of all relations. includable: those whose objects a document may include.
    """

    name: str
    model: type[M]
    columns: tuple[Column, ...]
    attributes: tuple[str, ...]
    relationships: tuple[str, ...] = ()
    includable: tuple[str, ...] = ()
    order: tuple[str, ...] = ("-number",)
    stored: Mapping[str, Callable[[Sequence[str]], Q]] = field(default_factory=dict)

    @cached_property
    def resource(self) -> Resource:
        """The declaration by which the parser of predicates reads filters. Not registered."""
        hidden = frozenset(field.name for field in self.model._meta.concrete_fields)
        return Resource(self.name, self.name, self.model, hidden=hidden, columns=self.columns)

    @property
    def sortable(self) -> list[str]:
        return [column.name for column in self.columns if column.kind.sortable]


def attribute(model: type[Model], field: str, name: str = "") -> Column:
    """Return the column of an attribute that a field of the model stores."""
    return field_column(model, field, called=name or field)


def computed(name: str, expression: str, kind: ColumnType = ColumnType.TEXT) -> Column:
    """Return the column of an attribute that SQL computes from the row."""
    return Column(name, kind, expression, alphabetical=False)


@dataclass(frozen=True)
class ObjectQuery:
    """The parameters of every request: fields by type, and the relations to include."""

    fields: Mapping[str, tuple[str, ...]]
    includes: tuple[str, ...]


@dataclass(frozen=True)
class ListQuery(ObjectQuery, Generic[M]):
    """The parameters of a list."""

    page: PageRequest
    conditions: tuple[Condition | AnyOf, ...]
    order: tuple[OrderBy, ...]
    kind: Kind[M]

    def read(self, rows: QuerySet[M]) -> NumberedPage[M]:
        """Return the page of these rows."""
        for condition in self.conditions:
            rows = rows.filter(self._filter(condition))
        return self.page.of(rows.order_by(*self.order, *self.kind.order))

    def _filter(self, condition: Condition | AnyOf) -> Q | Satisfies:
        if isinstance(condition, Condition) and condition.operator in _EQUALITY:
            select = self.kind.stored.get(condition.path)
            if select is not None:
                return select(condition.values)
        return Satisfies(self.kind.resource, condition)


class _Ordered(Expression):
    """The value by which rows are sorted."""

    output_field = TextField()

    # Django compares and hashes expressions by their arguments.
    def __init__(self, table: str, column: Column) -> None:
        super().__init__()
        self._table = table
        self._column = column

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        text = self._column.ordered(self._table).as_string(None)
        return text.replace("%", "%%"), ()


def parse_object_query(request: Request, kind: Kind[Any]) -> ObjectQuery:
    """Parse the parameters of one object. Raises InvalidInput with every problem."""
    problems = Problems(_unknown(request, kind, is_list=False))
    query = _object_query(request, kind, problems)
    if problems:
        problems.refuse()
    return query


def parse_list_query(request: Request, kind: Kind[M]) -> ListQuery[M]:
    """Parse the parameters of a list. Raises InvalidInput with every problem."""
    problems = Problems(_unknown(request, kind, is_list=True))
    shown = _object_query(request, kind, problems)
    parameters = request.query_params
    order = tuple(_order(parameters.get(_SORT, ""), kind, problems))
    predicates = {
        name.removeprefix(_FILTER).removesuffix("]"): parameters[name]
        for name in parameters
        if name.startswith(_FILTER)
    }
    conditions, wrong = parse_predicates(kind.resource, predicates, UTC)
    problems.extend(_renamed(wrong))
    try:
        page = PAGES.read(parameters)
    except InvalidInput as invalid:
        problems.extend(invalid.problems)
    if problems:
        problems.refuse()
    return ListQuery(shown.fields, shown.includes, page, conditions, order, kind)


def page_links(request: Request, page: NumberedPage[Any]) -> dict[str, str]:
    """Return the links from a page to others of its list."""
    number, last = page.request.number, max(1, page.count)
    numbers = {"first": 1, "last": last}
    numbers |= {"prev": number - 1} if number > 1 else {}
    numbers |= {"next": number + 1} if page.has_more else {}
    url = request.build_absolute_uri(request.path)
    given = request.query_params.dict()
    return {
        name: f"{url}?{urlencode({**given, PAGES.number: number})}"
        for name, number in numbers.items()
    }


def _unknown(request: Request, kind: Kind[Any], *, is_list: bool) -> Iterator[Problem]:
    accepted = [_INCLUDE, f"{_FIELDS}{kind.name}]"]
    if is_list:
        accepted += [PAGES.number, PAGES.size, _SORT, f"{_FILTER}<attribute>_<matcher>]"]
    for name, texts in request.query_params.lists():
        is_filter = is_list and name.startswith(_FILTER) and name.endswith("]")
        is_fields = name.startswith(_FIELDS) and name.endswith("]")
        if not (is_filter or is_fields or name in accepted):
            text = f"{name!r} is not a parameter here{did_you_mean(name, accepted)}"
            yield Problem(ErrorCode.INVALID_REQUEST, name, texts[0], text, accepted)
        elif len(texts) > 1:
            text = f"{name} is set {len(texts)} times. Separate its values with commas."
            yield Problem(ErrorCode.INVALID_REQUEST, name, texts[0], text, "one value")


def _object_query(request: Request, kind: Kind[Any], problems: Problems) -> ObjectQuery:
    parameters = request.query_params
    includes = _names(parameters.get(_INCLUDE, ""))
    accepted = list(kind.includable)
    problems.extend(
        _unknown_names(_INCLUDE, includes, accepted, f"a relation of {kind.name} to include")
    )
    fields = {}
    for name in parameters:
        if name.startswith(_FIELDS) and name.endswith("]"):
            type = name.removeprefix(_FIELDS).removesuffix("]")
            fields[type] = _names(parameters[name])
            if type == kind.name:
                known = [*kind.attributes, *kind.relationships]
                noun = f"a field of {type}"
                problems.extend(_unknown_names(name, fields[type], known, noun))
    return ObjectQuery(fields, includes)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _unknown_names(
    parameter: str, names: tuple[str, ...], accepted: list[str], noun: str
) -> Iterator[Problem]:
    for name in names:
        if name not in accepted:
            text = f"{name!r} is not {noun}{did_you_mean(name, accepted)}"
            yield Problem(ErrorCode.INVALID_REQUEST, parameter, name, text, accepted)


def _order(text: str, kind: Kind[Any], problems: Problems) -> Iterator[OrderBy]:
    names = _names(text)
    if len(names) > _MAX_SORTS:
        message = f"The list has {len(names)} orders; the maximum is {_MAX_SORTS}."
        accepted = f"at most {_MAX_SORTS} attributes"
        problems.report(ErrorCode.INVALID_REQUEST, _SORT, text, message, accepted)
        return
    plain = tuple(name.removeprefix("-") for name in names)
    noun = "an attribute that sorts the list"
    problems.extend(_unknown_names(_SORT, plain, kind.sortable, noun))
    columns = {column.name: column for column in kind.columns}
    table = kind.model._meta.db_table
    for name in names:
        if column := columns.get(name.removeprefix("-")):
            descending = name.startswith("-")
            yield OrderBy(_Ordered(table, column), descending=descending, nulls_last=True)


def _renamed(problems: list[Problem]) -> Iterator[Problem]:
    """Yield the problems of predicates under the names of their parameters."""
    for each in problems:
        name = f"{_FILTER}{each.field.removeprefix('filters.')}]"
        yield Problem(each.code, name, each.value, each.message, each.accepted)
