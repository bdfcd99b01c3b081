"""Resolves the named export and the date range of a request: `type`, `date_from` and `date_to`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from exports.errors import ExportErrorCode
from exports.request.body import DATE_FROM, DATE_TO, EXPORT_BODY, PRESET, TYPE
from exports.request.file_presets import PRESET_FORMAT, default_preset
from exports.spec import OUTPUT, ExportSpec
from longshore.api.errors import InvalidInput, Problems, display_value
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

# Length of the columns that keep the range of an export as received.
_MAX_BOUND_CHARACTERS = 64


@dataclass(frozen=True)
class ResolvedRequest:
    """The parts of a request that its named export and its date range determine.

    body: the request without `type`, `date_from` and `date_to`. The resource, columns and order of
        the named export are filled in where the request has none.
    options: filters of the named export, which apply in addition to those of the request.
    date_range: conditions of the date range.
    """

    body: Mapping[str, Any]
    options: Mapping[str, Any]
    date_range: tuple[Condition | AnyOf, ...]

    def apply_to(self, spec: ExportSpec) -> ExportSpec:
        """Return a spec of the body with the conditions of the named export and the date range.

        Raises InvalidInput if the declaration of the named export is wrong, which a system check
        reports.
        """
        resource = registry.get(spec.resource)
        if resource is None:
            raise LookupError(f"there is no resource {spec.resource!r}")
        selection, problems = parse_options(resource, self.options, UTC)
        if problems:
            raise InvalidInput(*problems)
        conditions = (*spec.selection.conditions, *selection.conditions, *self.date_range)
        return replace(spec, selection=replace(spec.selection, conditions=conditions))


def resolve_request(body: Mapping[str, Any], zone: Zone, problems: Problems) -> ResolvedRequest:
    """Resolve the named export and the date range of a request.

    zone: of dates and times without an offset.
    Raises InvalidInput for a zone that PostgreSQL does not know.
    """
    rest = {name: value for name, value in body.items() if name not in (TYPE, DATE_FROM, DATE_TO)}
    export_type = _read_type(body, problems)
    if export_type is not None:
        named = rest.get("resource")
        if named not in (None, export_type.resource):
            text = (
                f"The named export {export_type.code} exports {export_type.resource}, "
                f"not {display_value(named)}."
            )
            accepted = f"{export_type.resource}, or no resource"
            code = ResourceErrorCode.INVALID_RESOURCE
            problems.report(code, "resource", named, text, accepted)
        rest = _filled(rest, export_type)
    path, kind = _date_column(rest, export_type)
    date_range = _read_date_range(body, path, kind, zone, problems)
    options = export_type.options if export_type else {}
    return ResolvedRequest(rest, options, tuple(date_range))


def _read_type(body: Mapping[str, Any], problems: Problems) -> ExportType | None:
    given = body.get(TYPE)
    code = None if given is None else EXPORT_BODY[TYPE].read(given, TYPE, problems)
    return None if code is None else export_types.by_code[code]


def _filled(body: Mapping[str, Any], export_type: ExportType) -> dict[str, Any]:
    """Return the body with the resource of a named export, its order and columns as defaults."""
    filled = {**body, "resource": export_type.resource}
    # The reader of the body reports a value of another type.
    options, output = ({} if body.get(name) is None else body[name] for name in ("options", OUTPUT))
    if isinstance(options, Mapping) and options.get(ORDER_BY) is None:
        filled["options"] = {**options, ORDER_BY: export_type.order_by}
    if isinstance(output, Mapping):
        filled[OUTPUT] = defaults = dict(output)
        if output.get("columns") is None and body.get("fields") is None:
            defaults["columns"] = export_type.columns
        if output.get(PRESET) is None and body.get("format") in (None, PRESET_FORMAT):
            defaults[PRESET] = default_preset(PRESET_FORMAT, is_named=True)
    return filled


def _date_column(
    body: Mapping[str, Any], export_type: ExportType | None
) -> tuple[str | None, ColumnType]:
    """Return the path and type of the column that a date range applies to; None without one."""
    resource = registry.get(str(body.get("resource")))
    if resource is None:
        return "", ColumnType.DATETIME
    path = export_type.date if export_type else resource.date_field
    if path is None:
        return None, ColumnType.DATETIME
    head, _, name = path.partition(".")
    columns = resource.relations_by_name[head].columns if name else resource.columns_by_name
    column = columns.get(name or head)
    # A system check reports a date field that is not a column.
    return (path, column.kind) if column else ("", ColumnType.DATETIME)


def _read_date_range(
    body: Mapping[str, Any], path: str | None, kind: ColumnType, zone: Zone, problems: Problems
) -> list[Condition | AnyOf]:
    """Return the conditions of a date range; both ends are included."""
    conditions: list[Condition | AnyOf] = []
    code = ExportErrorCode.INVALID_DATE_RANGE
    for name, operator in ((DATE_FROM, Operator.GTE), (DATE_TO, Operator.LTE)):
        if (given := body.get(name)) is None:
            continue
        if path is None:
            text = f"The records have no date field, so {name} cannot select them."
            problems.report(code, name, given, text, f"no {name}")
            continue
        try:
            if len(str(given)) > _MAX_BOUND_CHARACTERS:
                raise ValueError(given)
            conditions.append(Condition(path, operator, (canonical(kind, given),)))
        except ValueError:
            text = f"{display_value(given)} is not a valid {name}."
            problems.report(code, name, given, text, ACCEPTED[kind])
    conditions = resolved(conditions, zone)
    values = [each.values[0] for each in conditions if isinstance(each, Condition)]
    if len(values) == 2 and is_after(*values):
        start, end = body[DATE_FROM], body[DATE_TO]
        text = f"{DATE_FROM} {display_value(start)} is after {DATE_TO} {display_value(end)}."
        accepted = f"a date that is not after {DATE_TO}"
        problems.report(code, DATE_FROM, start, text, accepted)
    return conditions
