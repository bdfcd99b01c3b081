"""The list of each resource, as the API's description has it: made from the registry."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
)

from longshore.api import admission
from longshore.api.errors import ApiError, BaseErrorCode, ErrorCode, InvalidInput, Problem
from longshore.api.openapi import EVERYWHERE, error_responses
from longshore.api.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, page_schema
from longshore.resources.api.choices import CREATED, CREATED_AT
from longshore.resources.columns import Column, ColumnType
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.filters import filter_column, operators
from longshore.resources.named_filters import NamedFilter
from longshore.resources.reading import AnswerTooLarge
from longshore.resources.registry import Resource
from longshore.resources.relations import Relation

RECORDS = "Records"
_TYPES: dict[ColumnType, dict[str, Any]] = {
    ColumnType.TEXT: {"type": "string"},
    ColumnType.INTEGER: {"type": "integer"},
    ColumnType.DECIMAL: {"type": "number"},
    ColumnType.FLOAT: {"type": "number"},
    ColumnType.BOOLEAN: {"type": "boolean"},
    ColumnType.DATE: {"type": "string", "format": "date"},
    ColumnType.DATETIME: {"type": "string", "format": "date-time"},
    ColumnType.LIST: {"type": "array", "items": {}},
}
_EXAMPLES = {
    ColumnType.INTEGER: "gte:100",
    ColumnType.DECIMAL: "bwi:1,2.5",
    ColumnType.FLOAT: "lt:0.5",
    ColumnType.BOOLEAN: "true",
    ColumnType.DATE: "gte:2024-01-01",
    ColumnType.DATETIME: "bwi:2024-12-01,2024-12-31",
}


def bad_input(code: BaseErrorCode, field: str, value: Any, message: str, accepted: Any) -> ApiError:
    """An example of bad input with one problem."""
    return InvalidInput(Problem(code, field, value, message, accepted))


BAD_PAGES = (
    bad_input(
        ErrorCode.INVALID_LIMIT,
        "limit",
        "0",
        "0 is not a valid limit.",
        f"a whole number from 1 to {MAX_PAGE_SIZE}",
    ),
    bad_input(
        ErrorCode.INVALID_CURSOR,
        "cursor",
        "nonsense",
        "The cursor is not one of this list",
        "the cursor of a link that a list gave as next or previous",
    ),
)


CREATED_PARAMETERS = (
    OpenApiParameter(
        CREATED_AT,
        description="By the time of creation, as any datetime is filtered by: a day, a time, or "
        "`operator:value`. Days and times without an offset are in the organization's time zone.",
        examples=[
            OpenApiExample(example, value=example)
            for example in ("gte:2024-12-01", "bwi:2024-12-01,2024-12-31", "2024-12-25")
        ],
    ),
    *(
        OpenApiParameter(name, description=f"The same as `{CREATED_AT}={operator}…`.")
        for name, operator in CREATED.items()
        if operator
    ),
)


class RecordListSchema(AutoSchema):
    """Describes `RecordList` of one resource."""

    @property
    def resource(self) -> Resource:
        resource: Resource = self.view.resource  # type: ignore[attr-defined]
        return resource

    @property
    def title(self) -> str:
        return self.resource.plural.replace("_", " ")

    def get_operation_id(self) -> str:
        return f"list_{self.resource.plural}"

    def get_tags(self) -> list[str]:
        return [RECORDS]

    def get_summary(self) -> str:
        return f"List {self.title}"

    def get_description(self) -> str:  # type: ignore[override]
        keys = ", ".join(
            f"`{column.name}.<key>`"
            for column in self.resource.columns_by_name.values()
            if column.kind is ColumnType.JSON
        )
        inside = f" Keys at any depth are filters too: {keys}." if keys else ""
        return (
            f"The organization's {self.title}, newest first unless `order_by` says otherwise, "
            "filtered as an export would be. A filter takes a value, several with commas "
            "between, or `operator:value`. A page costs the same however deep it lies, and "
            f"records that come or go meanwhile move no other.{inside}"
        )

    def get_request_serializer(self) -> None:
        return None

    def get_override_parameters(self) -> list[Any]:
        own = [*_of_every_list(self.resource)]
        filters = [
            _filter(column.name, column) for column in self.resource.columns_by_name.values()
        ]
        for relation in self.resource.relations_by_name.values():
            filters += _filters_by(relation)
        filters += [_named(self.resource, named) for named in self.resource.filters]
        taken = {parameter.name for parameter in own}
        return own + [parameter for parameter in filters if parameter.name not in taken]

    def get_response_serializers(self) -> Any:
        name = "".join(word.capitalize() for word in self.resource.name.split("_"))
        record = self._component(name, _record(self.resource))
        page = page_schema({"type": "array", "items": record})
        answer = OpenApiResponse(
            self._component(f"{name}Page", page), "A page.", examples=[self._example()]
        )
        return {200: answer, **error_responses([*self._errors(), *EVERYWHERE])}

    def _component(self, name: str, schema: dict[str, Any]) -> dict[str, Any]:
        """A schema under a name of its own, and the reference to it."""
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            name, ResolvedComponent.SCHEMA, schema, object=name
        )
        self.registry.register_on_missing(component)
        return component.ref

    def _example(self) -> OpenApiExample:
        record = {"id": "…", self.resource.date_field: "2024-12-25T14:30:00.123456+00:00"}
        value = {"next": None, "previous": None, "results": [record]}
        query = f"fields=id,{self.resource.date_field}"
        return OpenApiExample("One record", summary=query, value=value, response_only=True)

    def _errors(self) -> list[ApiError]:
        named, names = self.resource.name, list(self.resource.columns_by_name)[:3]
        no_filter = f"{named} has no filter 'colour'"
        no_column = f"{named} has no column 'colour'"
        no_order = f"{named} cannot be ordered by 'colour'"
        no_zone = "Unknown time zone: Mars/Olympus"
        return [
            bad_input(ResourceErrorCode.INVALID_FILTER, "colour", "red", no_filter, names),
            bad_input(ResourceErrorCode.INVALID_COLUMN, "fields", "colour", no_column, names),
            bad_input(ResourceErrorCode.INVALID_ORDERING, "order_by", "colour", no_order, names),
            bad_input(
                ResourceErrorCode.INVALID_TIMEZONE,
                "timezone",
                "Mars/Olympus",
                no_zone,
                "an IANA name such as America/New_York or UTC",
            ),
            *BAD_PAGES,
            bad_input(
                ErrorCode.INVALID_REQUEST,
                "id",
                ["1", "2"],
                "The parameter id is given 2 times",
                "one value; commas join several, and bwi:… or bwe:… are both ends of a range",
            ),
            admission.too_many(3),
            AnswerTooLarge(25_165_824, "metadata", f"{named}_01jd8x"),
        ]


def _of_every_list(resource: Resource) -> Iterator[OpenApiParameter]:
    yield _text(
        "fields",
        "What to show of each record: columns, relations and `<relation>.<field>`, with commas "
        "between. Everything by default.",
        f"id,{resource.date_field}",
    )
    yield _text(
        "order_by",
        "Sortable columns with commas between; a `-` before one turns it round.",
        resource.date_field,
    )
    yield OpenApiParameter("direction", description="Of the order.", enum=["asc", "desc"])
    yield _text(
        "timezone",
        "An IANA name: of dates in filters, and of datetimes in the answer. The organization's "
        "by default.",
        "America/New_York",
    )
    yield _text("cursor", "A place in the list, as in `next` and `previous`.")
    size = {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": DEFAULT_PAGE_SIZE}
    yield OpenApiParameter("limit", size, description="Records in a page.")
    texts = {"type": "object", "additionalProperties": {"type": "string"}}
    yield OpenApiParameter(
        "filters",
        texts,
        style="deepObject",
        explode=True,
        description="Predicates, `filters[<attribute>_<matcher>]=<value>`; commas join values.",
        examples=[OpenApiExample("By id", value={"id_not_in": "a,b"})],
    )
    if resource.search:
        yield _text("search", "Words, each of which begins a word of the record.", "smith 94107")


def _filter(name: str, column: Column) -> OpenApiParameter:
    taken = ", ".join(f"`{operator}`" for operator in operators(column.kind))
    about = [column.description, f"Takes {taken}."]
    if column.choices:
        about.insert(1, f"One of {', '.join(f'`{choice}`' for choice in column.choices)}.")
    example = _EXAMPLES.get(column.kind) or ",".join(column.choices[:2])
    return _text(name, " ".join(filter(None, about)), example)


def _named(resource: Resource, named: NamedFilter) -> OpenApiParameter:
    column = replace(filter_column(resource, named.name), description=named.description)
    if named.inclusive or len(named.paths) > 1:
        example = _EXAMPLES.get(column.kind, "")
        return _text(named.name, named.description, example)
    return _filter(named.name, column)


def _filters_by(relation: Relation) -> Iterator[OpenApiParameter]:
    by_id = f"{relation.singular}_id" if relation.many and relation.singular else relation.name
    yield _filter(by_id, relation.columns[relation.key])
    for name, column in relation.columns.items():
        yield _filter(f"{relation.name}.{name}", column)


def _text(name: str, description: str, example: str = "") -> OpenApiParameter:
    examples = [OpenApiExample(example, value=example)] if example else []
    return OpenApiParameter(name, str, description=description, examples=examples)


def _record(resource: Resource) -> dict[str, Any]:
    """What a record may show; it shows what `fields` chooses."""
    properties = {name: _value(column) for name, column in resource.columns_by_name.items()}
    for name, relation in resource.relations_by_name.items():
        related = {
            "type": "object",
            "properties": {field: _value(relation.columns[field]) for field in relation.fields},
        }
        either = {"oneOf": [related, {"type": "null"}]}
        properties[name] = {"type": "array", "items": related} if relation.many else either
    return {"type": "object", "properties": properties}


def _value(column: Column) -> dict[str, Any]:
    schema = dict(_TYPES.get(column.kind, {}))
    if "type" in schema and column.nullable:
        schema["type"] = [schema["type"], "null"]
    if column.description:
        schema["description"] = column.description
    return schema
