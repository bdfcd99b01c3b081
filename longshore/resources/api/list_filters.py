"""Filters of lists of models that are not resources: jobs, events, deliveries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from django.db.models import BooleanField, Expression, Model, QuerySet
from rest_framework.request import Request

from longshore.accounts.authentication import key_of
from longshore.api.errors import Problem, Problems
from longshore.api.pagination import CURSOR, LIMIT
from longshore.api.suggestions import did_you_mean
from longshore.resources.api.query import repeated_parameter
from longshore.resources.conditions import AnyOf, Condition, condition_sql
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.filters import parse_options
from longshore.resources.registry import Resource
from longshore.resources.timezones import Zone

CREATED_AT = "created_at"
# Filters by the time of creation, and the operator that each puts before its value.
CREATED = {CREATED_AT: "", "created_after": "gt:", "created_before": "lt:"}
_Rows = TypeVar("_Rows", bound=QuerySet[Any, Any])


@dataclass(frozen=True)
class ListFilters:
    """The filters of a request.

    values: the accepted values that the request selects, by filter.
    conditions: on the time of creation.
    """

    values: dict[str, list[str]]
    conditions: tuple[Condition | AnyOf, ...]

    def filter_by_creation(self, rows: _Rows) -> _Rows:
        """Select the rows whose time of creation satisfies every condition."""
        model: Any = rows.model
        for condition in self.conditions:
            rows = rows.filter(Satisfies(_resource(model), condition))
        return rows


def request_filters(
    request: Request, accepted: Mapping[str, Sequence[str]], model: type[Model] | None = None
) -> ListFilters:
    """Call `parse_list_filters` for a request, with the time zone of its organization."""
    timezone = key_of(request).organization.timezone
    return parse_list_filters(dict(request.query_params.lists()), accepted, model, timezone)


def parse_list_filters(
    parameters: Mapping[str, Sequence[str]],
    accepted: Mapping[str, Sequence[str]],
    model: type[Model] | None = None,
    timezone: str = "UTC",
) -> ListFilters:
    """Parse the filters of a list.

    parameters: of the query string; each name with all its values.
    accepted: values of each filter that takes one or more, separated by commas.
    model: set if the list has the filters of `CREATED`, too.
    timezone: IANA name, for days and times without an offset.
    Raises InvalidInput with every problem.
    """
    values: dict[str, list[str]] = {}
    conditions: list[Condition | AnyOf] = []
    problems = Problems()
    filters = [*accepted, *(CREATED if model else ())]
    for name, texts in parameters.items():
        if name in (CURSOR, LIMIT):
            continue
        text = str(texts[0])
        selected = text.split(",")
        expected = list(accepted.get(name, [*filters, CURSOR, LIMIT]))
        if name not in filters:
            message = f"This list has no filter {name!r}{did_you_mean(name, filters)}"
        elif len(texts) > 1:
            message = repeated_parameter(name, len(texts))
        elif model and name in CREATED:
            options = {CREATED_AT: CREATED[name] + text}
            selection, wrong = parse_options(_resource(model), options, Zone(timezone), path="")
            conditions += selection.conditions
            problems.extend(
                Problem(each.code, name, text, each.message, each.accepted) for each in wrong
            )
            continue
        elif unknown := [value for value in selected if value not in expected]:
            hint = did_you_mean(unknown[0], expected)
            message = f"{unknown[0]!r} is not a value of {name}{hint}"
        else:
            values[name] = selected
            continue
        problems.report(ResourceErrorCode.INVALID_FILTER, name, texts[0], message, expected)
    if problems:
        problems.refuse()
    return ListFilters(values, tuple(conditions))


@cache
def _resource(model: type[Model]) -> Resource:
    """Return an unregistered resource of the model, for the parser of filters."""
    return Resource(str(model._meta.model_name), model._meta.db_table, model)


class Satisfies(Expression):
    """True for rows of the query's table that satisfy a condition.

    resource: declares the columns of the condition; it need not be registered.
    """

    output_field = BooleanField()
    conditional = True

    def __init__(self, resource: Resource, condition: Condition | AnyOf) -> None:
        super().__init__()
        self._resource = resource
        self._condition = condition

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        table = self._resource.model._meta.db_table
        text = condition_sql(self._resource, "", self._condition, table).as_string(None)
        # Django interpolates parameters into the text: escape its percent signs.
        return text.replace("%", "%%"), ()
