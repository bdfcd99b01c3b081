"""Filters of lists whose records are not a resource: exports, events, deliveries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from django.db.models import BooleanField, Expression, Model, QuerySet
from rest_framework.request import Request

from longshore.accounts.authentication import key_of
from longshore.api.errors import Problem, Problems
from longshore.api.suggestions import did_you_mean
from longshore.resources.conditions import AnyOf, Condition, condition_sql
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.filters import parse_options
from longshore.resources.registry import Resource
from longshore.resources.timezones import Zone

_OF_EVERY_LIST = ("cursor", "limit")
CREATED_AT = "created_at"
# Prefix of the value of each filter by time.
CREATED = {CREATED_AT: "", "created_after": "gt:", "created_before": "lt:"}
_Rows = TypeVar("_Rows", bound=QuerySet[Any, Any])


@dataclass(frozen=True)
class Choices:
    """What a request chooses.

    values: of each filter that takes one of a few values, or several.
    conditions: on the time of creation.
    """

    values: dict[str, list[str]]
    conditions: tuple[Condition | AnyOf, ...]

    def created(self, rows: _Rows) -> _Rows:
        """Those of the rows whose time of creation passes."""
        for condition in self.conditions:
            rows = rows.filter(_Passes(rows.model, condition))
        return rows


def chosen(
    request: Request, accepted: Mapping[str, Sequence[str]], model: type[Model] | None = None
) -> Choices:
    """Read the filters of a request.

    accepted: the values of each filter that takes one of a few, or several with commas between.
    model: of a list that is filtered by `CREATED` too. Days and times without an offset are in
        the organization's time zone.
    Raises InvalidInput, which names every problem.
    """
    found: dict[str, list[str]] = {}
    conditions: list[Condition | AnyOf] = []
    problems = Problems()
    filters = [*accepted, *(CREATED if model else ())]
    for name, texts in request.query_params.lists():
        if name in _OF_EVERY_LIST:
            continue
        text = str(texts[0])
        values = text.split(",")
        expected = list(accepted.get(name, [*filters, *_OF_EVERY_LIST]))
        if name not in filters:
            message = f"This list has no filter {name!r}{did_you_mean(name, filters)}"
        elif len(texts) > 1:
            message = f"{name} is given {len(texts)} times: join its values with commas"
        elif model and name in CREATED:
            zone = Zone(key_of(request).organization.timezone)
            options = {CREATED_AT: CREATED[name] + text}
            selection, wrong = parse_options(_resource(model), options, zone, path="")
            conditions += selection.conditions
            problems.extend(
                Problem(each.code, name, text, each.message, each.accepted) for each in wrong
            )
            continue
        elif unknown := [value for value in values if value not in expected]:
            message = f"Unknown {name}: {unknown[0]}{did_you_mean(unknown[0], expected)}"
        else:
            found[name] = values
            continue
        problems.report(ResourceErrorCode.INVALID_FILTER, name, texts[0], message, expected)
    if problems:
        problems.refuse()
    return Choices(found, tuple(conditions))


@cache
def _resource(model: type[Model]) -> Resource:
    """The model as the language of filters knows models; it is not registered."""
    return Resource(str(model._meta.model_name), model._meta.db_table, model)


class _Passes(Expression):
    """Whether a row of the query's own table passes a condition."""

    output_field = BooleanField()
    conditional = True

    def __init__(self, model: type[Model], condition: Condition | AnyOf) -> None:
        super().__init__()
        self._model = model
        self._condition = condition

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        table = self._model._meta.db_table
        text = condition_sql(_resource(self._model), "", self._condition, table).as_string(None)
        # Django inserts parameters afterwards, so % must be doubled.
        return text.replace("%", "%%"), ()
