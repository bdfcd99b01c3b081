"""Named types: what `type`, `date_from` and `date_to` of a request stand for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from exports.errors import ExportErrorCode
from exports.spec import ExportSpec
from longshore.api.errors import InvalidInput, Problem, display_value
from longshore.resources.columns import ColumnType
from longshore.resources.comparisons import Operator
from longshore.resources.conditions import AnyOf, Condition
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.export_types import ExportType, export_types
from longshore.resources.filters import ORDER_BY, parse_options
from longshore.resources.intervals import is_after
from longshore.resources.registry import registry
from longshore.resources.resolving import resolved
from longshore.resources.timezones import UTC, Zone
from longshore.resources.values import ACCEPTED, canonical

TYPE, FROM, TO = "type", "date_from", "date_to"


@dataclass(frozen=True)
class Preset:
    """What a request leaves to its type and its range.

    body: the request without them, with all that the type says and the request does not.
    options: filters of the type, which apply beside the request's own.
    range: the conditions of the range.
    problems: what is wrong with the type and the range.
    """

    body: Mapping[str, Any]
    options: Mapping[str, Any]
    range: tuple[Condition | AnyOf, ...]
    problems: tuple[Problem, ...]

    @classmethod
    def of(cls, body: Mapping[str, Any], zone: Zone) -> "Preset":
        """Read a request.

        zone: of ends of the range without an offset.
        Raises InvalidInput for a zone that PostgreSQL does not know.
        """
        rest = {name: value for name, value in body.items() if name not in (TYPE, FROM, TO)}
        code = body.get(TYPE)
        chosen = export_types.by_code.get(code) if isinstance(code, str) else None
        problems = []
        if code is not None and chosen is None:
            text = (
                f"Unsupported export type: {code if isinstance(code, str) else display_value(code)}"
            )
            accepted = export_types.codes()
            problems.append(Problem(ResourceErrorCode.INVALID_TYPE, TYPE, code, text, accepted))
        if chosen is not None:
            named = rest.get("resource")
            if named not in (None, chosen.resource):
                text = f"The type {code} is of the resource {chosen.resource}"
                wanted = f"{chosen.resource}, or no resource beside a type"
                error = ResourceErrorCode.INVALID_RESOURCE
                problems.append(Problem(error, "resource", named, text, wanted))
            rest = _filled(rest, chosen)
        path, kind = _date(rest, chosen)
        bounds, wrong = _range(body, path, kind, zone)
        options = chosen.options if chosen else {}
        return cls(rest, options, tuple(bounds), (*problems, *wrong))

    def applied(self, spec: ExportSpec) -> ExportSpec:
        """A spec of the body, with the conditions that the type and the range add.

        Raises InvalidInput, where a declaration is wrong of which the system checks complain.
        """
        resource = registry.get(spec.resource)
        if resource is None:
            raise LookupError(f"there is no resource {spec.resource!r}")
        selection, problems = parse_options(resource, self.options, UTC)
        if problems:
            raise InvalidInput(*problems)
        conditions = (*spec.selection.conditions, *selection.conditions, *self.range)
        return replace(spec, selection=replace(spec.selection, conditions=conditions))


def _filled(body: Mapping[str, Any], chosen: ExportType) -> dict[str, Any]:
    """The body with the type's resource, and with its order and columns unless it has its own."""
    filled = {**body, "resource": chosen.resource}
    options, output = (body.get(name) or {} for name in ("options", "csv_field_options"))
    if isinstance(options, Mapping) and options.get(ORDER_BY) is None:
        filled["options"] = {**options, ORDER_BY: chosen.order_by}
    if isinstance(output, Mapping) and output.get("columns") is None and body.get("fields") is None:
        filled["csv_field_options"] = {**output, "columns": chosen.columns}
    return filled


def _date(body: Mapping[str, Any], chosen: ExportType | None) -> tuple[str, ColumnType]:
    """The path that a range applies to, and what it holds."""
    resource = registry.get(str(body.get("resource")))
    if resource is None:
        return "", ColumnType.DATETIME
    path = chosen.date if chosen else resource.date_field
    head, _, name = path.partition(".")
    columns = resource.relations_by_name[head].columns if name else resource.columns_by_name
    column = columns.get(name or head)
    # System checks tell of a resource whose date field is no column.
    return (path, column.kind) if column else ("", ColumnType.DATETIME)


def _range(
    body: Mapping[str, Any], path: str, kind: ColumnType, zone: Zone
) -> tuple[list[Condition | AnyOf], list[Problem]]:
    """Return the conditions of a range, with both ends included, and the problems found."""
    problems: list[Problem] = []
    conditions: list[Condition | AnyOf] = []
    code = ExportErrorCode.INVALID_DATE_RANGE
    for name, operator in ((FROM, Operator.GTE), (TO, Operator.LTE)):
        if (given := body.get(name)) is None:
            continue
        try:
            conditions.append(Condition(path, operator, (canonical(kind, given),)))
        except ValueError:
            text = f"{display_value(given)} is not a valid {name}"
            problems.append(Problem(code, name, given, text, ACCEPTED[kind]))
    conditions = resolved(conditions, zone)
    values = [each.values[0] for each in conditions if isinstance(each, Condition)]
    if len(values) == 2 and is_after(*values):
        text = f"{display_value(body[FROM])} is after {display_value(body[TO])}"
        problems.append(Problem(code, FROM, body[FROM], text, f"a date that is not after {TO}"))
    return conditions, problems
