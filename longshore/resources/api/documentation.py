"""Operations on the records of a resource in the API description, made from the registry."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from django.http import QueryDict
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
)

from longshore.api import concurrency
from longshore.api.body.declaration import Custom
from longshore.api.errors import ApiError
from longshore.api.openapi import (
    COMMON_ERRORS,
    NOT_FOUND,
    error_responses,
    raised,
    raised_errors,
    unknown_name,
)
from longshore.api.pagination import (
    CURSOR,
    LIMIT,
    invalid_cursor,
    page_schema,
    page_size,
    single_page,
)
from longshore.resources.api.list_filters import CREATED, CREATED_AT
from longshore.resources.api.lookup import INCLUDES, parse_record_query
from longshore.resources.api.query import LIST_PARAMETERS, parse_query
from longshore.resources.api.record_schemas import component_name, record_schema
from longshore.resources.columns import Column, ColumnType
from longshore.resources.filters import filter_column, operators
from longshore.resources.named_filters import NamedFilter
from longshore.resources.reading import ResponseTooLarge
from longshore.resources.registry import Resource
from longshore.resources.relations import Relation

_MOMENT = "2024-12-25T14:30:00.123456+00:00"

RECORDS = "Records"
_EXAMPLES = {
    ColumnType.INTEGER: "gte:100",
    ColumnType.DECIMAL: "bwi:1,2.5",
    ColumnType.FLOAT: "lt:0.5",
    ColumnType.BOOLEAN: "true",
    ColumnType.DATE: "gte:2024-01-01",
    ColumnType.DATETIME: "bwi:2024-12-01,2024-12-31",
}


PAGE_ERRORS = (raised(lambda: page_size("0")), invalid_cursor("nonsense"))
CREATED_PARAMETERS = (
    OpenApiParameter(
        CREATED_AT,
        description="Filters by the time of creation: a day, a time, or `operator:value`, as for "
        "any datetime. Values without an offset are in the organization's time zone.",
        examples=[
            OpenApiExample(example, value=example)
            for example in ("gte:2024-12-01", "bwi:2024-12-01,2024-12-31", "2024-12-25")
        ],
    ),
    *(
        OpenApiParameter(name, description=f"Same as `{CREATED_AT}={operator}…`.")
        for name, operator in CREATED.items()
        if operator
    ),
)


class RecordSchema(AutoSchema):
    """Describes the operations of a RecordViewSet: the list, and the retrieval of one record."""

    @property
    def resource(self) -> Resource:
        resource: Resource = self.view.resource  # type: ignore[attr-defined]
        return resource

    @property
    def is_list(self) -> bool:
        action: str = self.view.action  # type: ignore[attr-defined]
        return action == "list"

    @property
    def noun(self) -> str:
        return (self.resource.plural if self.is_list else self.resource.name).replace("_", " ")

    def get_operation_id(self) -> str:
        return f"list_{self.resource.plural}" if self.is_list else f"get_{self.resource.name}"

    def get_tags(self) -> list[str]:
        return [RECORDS]

    def get_summary(self) -> str:
        if self.is_list:
            return f"List {self.noun}"
        return f"Retrieve {'an' if self.noun[0] in 'aeiou' else 'a'} {self.noun}"

    def get_description(self) -> str:  # type: ignore[override]
        if not self.is_list:
            return (
                "Returns one record of the organization, with the same fields as in the list. "
                "`includes` shows related records in full."
            )
        keys = ", ".join(
            f"`{column.name}.<key>`"
            for column in self.resource.columns_by_name.values()
            if column.kind is ColumnType.JSON
        )
        json_filters = f" JSON keys at any depth are filters, too: {keys}." if keys else ""
        return (
            f"Returns the organization's {self.noun}, newest first unless `order_by` is set. The "
            "filters are those of exports: a value, several values separated by commas, or "
            "`operator:value`. Every page has the same cost at any depth. Records that are created "
            f"or deleted between two pages do not shift the other records.{json_filters}"
        )

    def _is_list_view(self, serializer: Any = None) -> bool:
        # The response schema of the list is a page already, not one of its elements.
        return False

    def get_request_serializer(self) -> None:
        return None

    def get_override_parameters(self) -> list[Any]:
        if not self.is_list:
            identifier = OpenApiParameter("id", str, OpenApiParameter.PATH, required=True)
            return [identifier, _fields(self.resource), _timezone(), _includes(self.resource)]
        own = [*_list_parameters(self.resource)]
        filters = [
            _filter(column.name, column) for column in self.resource.columns_by_name.values()
        ]
        for relation in self.resource.relations_by_name.values():
            filters += _relation_filters(relation)
        filters += [_named_filter(self.resource, named) for named in self.resource.filters]
        names = {parameter.name for parameter in own}
        return own + [parameter for parameter in filters if parameter.name not in names]

    def get_response_serializers(self) -> Any:
        name = component_name(self.resource.name)
        schema = self._component(name, record_schema(self.resource, self._component))
        shown = _shown_fields(self.resource)
        date = self.resource.date_field
        record = {name: _MOMENT if name == date else "…" for name in shown}
        value: dict[str, Any] = record
        description = "The record."
        if self.is_list:
            schema = self._component(f"{name}Page", page_schema({"type": "array", "items": schema}))
            value, description = single_page([record]), "A page."
        example = OpenApiExample(
            "One record",
            summary=f"fields={','.join(shown)}",
            value=value,
            response_only=True,
        )
        errors = _list_errors(self.resource) if self.is_list else _record_errors(self.resource)
        response = OpenApiResponse(schema, description, examples=[example])
        return {200: response, **error_responses([*errors, *COMMON_ERRORS])}

    def _component(self, name: str, schema: dict[str, Any]) -> dict[str, Any]:
        """Register a schema under a name. Returns the reference to it."""
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            name, ResolvedComponent.SCHEMA, schema, object=name
        )
        self.registry.register_on_missing(component)
        return component.ref


def unknown_field(resource: Resource, name: str) -> str:
    """Return a name that a resource uses for no column, relation, include or filter.

    It is the given name, lengthened if necessary.
    """
    known = {
        *resource.names,
        *resource.filters_by_name,
        *resource.filterable_relations,
        *resource.relations_by_id,
        *resource.plural_aliases,
    }
    return unknown_name(name, known)


def _list_errors(resource: Resource) -> list[ApiError]:
    queries = (
        f"{resource.date_field or LIMIT}=yesterday",
        f"fields={unknown_field(resource, 'color')}",
        "direction=up",
        "timezone=Mars/Olympus",
        "id=1&id=2",
    )
    return [
        *raised_errors(
            partial(parse_query, resource, QueryDict(query), "UTC") for query in queries
        ),
        *PAGE_ERRORS,
        concurrency.too_many(3),
        ResponseTooLarge(25_165_824, "metadata", f"{resource.name}_01jd8x"),
    ]


def _record_errors(resource: Resource) -> list[ApiError]:
    queries = (
        "color=red",
        f"fields={unknown_field(resource, 'color')}",
        "timezone=Mars/Olympus",
        f"{INCLUDES}={unknown_name('color', resource.includable)}",
    )
    return [
        *raised_errors(
            partial(parse_record_query, resource, "", QueryDict(query), "UTC") for query in queries
        ),
        NOT_FOUND,
        concurrency.too_many(3),
        ResponseTooLarge(25_165_824, "metadata", f"{resource.name}_01jd8x"),
    ]


def _shown_fields(resource: Resource) -> list[str]:
    """Return the fields of examples: the primary key and the date field, if they are shown."""
    names = [resource.model._meta.pk.attname, resource.date_field]
    columns = resource.columns_by_name
    return [name for name in names if name and name in columns] or [next(iter(columns))]


def _fields(resource: Resource) -> OpenApiParameter:
    return _declared("fields", ",".join(_shown_fields(resource)))


def _includes(resource: Resource) -> OpenApiParameter:
    accepted = ", ".join(f"`{path}`" for path in resource.includable) or "none"
    text = f"Relations whose records are shown in full, separated by commas: {accepted}."
    return _text(INCLUDES, text, next(iter(resource.includable), ""))


def _timezone() -> OpenApiParameter:
    return _declared("timezone", "America/New_York")


def _declared(name: str, example: str = "") -> OpenApiParameter:
    """Return the description of a parameter that `LIST_PARAMETERS` declares."""
    field = LIST_PARAMETERS[name]
    if not isinstance(field, Custom):
        raise TypeError(f"{name} has no schema of its own.")
    return _text(name, field.help_text, example, dict(field.schema))


def _list_parameters(resource: Resource) -> Iterator[OpenApiParameter]:
    yield _fields(resource)
    yield _text(
        "order_by",
        "Sortable columns, separated by commas; `-` before a column reverses it.",
        resource.default_order or next(iter(resource.columns_by_name)),
    )
    yield OpenApiParameter(
        "direction", description="Direction of `order_by`.", enum=["asc", "desc"]
    )
    yield _timezone()
    yield _declared(CURSOR)
    yield _declared(LIMIT)
    texts = {"type": "object", "additionalProperties": {"type": "string"}}
    yield OpenApiParameter(
        "filters",
        texts,
        style="deepObject",
        explode=True,
        description="Predicates, `filters[<attribute>_<matcher>]=<value>`; commas separate values.",
        examples=[OpenApiExample("By id", value={"id_not_in": "a,b"})],
    )
    if resource.search_column:
        yield _text(
            "search",
            "Words. A record matches if each of them begins a word of the record.",
            "smith 94107",
        )


def _filter(name: str, column: Column) -> OpenApiParameter:
    accepted = ", ".join(f"`{operator}`" for operator in operators(column.kind))
    about = [column.description, f"Operators: {accepted}."]
    if column.choices:
        about.insert(1, f"Values: {', '.join(f'`{choice}`' for choice in column.choices)}.")
    example = _EXAMPLES.get(column.kind) or ",".join(column.choices[:2])
    return _text(name, " ".join(filter(None, about)), example)


def _named_filter(resource: Resource, named: NamedFilter) -> OpenApiParameter:
    column = replace(filter_column(resource, named.name), description=named.description)
    if named.inclusive or len(named.paths) > 1:
        example = _EXAMPLES.get(column.kind, "")
        return _text(named.name, named.description, example)
    return _filter(named.name, column)


def _relation_filters(relation: Relation) -> Iterator[OpenApiParameter]:
    by_id = f"{relation.singular}_id" if relation.many and relation.singular else relation.name
    yield _filter(by_id, relation.columns[relation.key])
    for name, column in relation.columns.items():
        yield _filter(f"{relation.name}.{name}", column)


def _text(
    name: str, description: str, example: str = "", schema: dict[str, Any] | type[str] = str
) -> OpenApiParameter:
    examples = [OpenApiExample(example, value=example)] if example else []
    return OpenApiParameter(name, schema, description=description, examples=examples)
