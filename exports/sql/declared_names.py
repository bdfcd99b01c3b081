"""What a spec names: checks that the project still declares it, and the resources that it reads.

The compiler looks names up without a check: the request was valid when it was stored.
"""

from exports.formats import formats
from exports.spec import ExportSpec
from longshore.jobs.specs import ObsoleteSpec
from longshore.resources.conditions import AnyOf, compared_column, tested_resources
from longshore.resources.includes import Include, included_resources
from longshore.resources.registry import Resource, registry


def check_names(spec: ExportSpec) -> None:
    """Raise ObsoleteSpec if the format, resource, a relation or a column is not declared."""
    if spec.format not in formats:
        raise ObsoleteSpec(f"the format {spec.format!r} does not exist any more")
    resource = registered(spec)
    for include in spec.includes:
        _check_include(resource, include)
    included = {include.relation for include in spec.includes}
    for column in spec.columns:
        if column.path not in included and not resource.has_path(column.path):
            raise _missing(resource.name, column.path)
    for condition in spec.selection.conditions:
        tests = condition.any_of if isinstance(condition, AnyOf) else (condition,)
        for test in tests:
            if compared_column(resource, test.path) is None:
                raise _missing(resource.name, test.path)
    for order in spec.selection.ordering:
        if order.column not in resource.columns_by_name:
            raise _missing(resource.name, order.column)


def registered(spec: ExportSpec) -> Resource:
    """Return the resource of a spec. Raises ObsoleteSpec if it is not registered."""
    resource = registry.get(spec.resource)
    if resource is None:
        raise ObsoleteSpec(f"the resource {spec.resource!r} does not exist any more")
    return resource


def resources_of(spec: ExportSpec) -> list[Resource]:
    """Return the resource of a spec, and those of the related records that it includes or tests.

    The fields that a relation declares belong to the resource that declares them.
    """
    resource = registered(spec)
    tested = tested_resources(resource, spec.selection.conditions)
    return [resource, *included_resources(resource, spec.includes), *tested]


def _check_include(resource: Resource, include: Include) -> None:
    try:
        relation, related = resource.related(include.relation)
    except LookupError:
        raise _missing(resource.name, include.relation) from None
    columns = related.columns_by_name if related else relation.columns
    owner = related.name if related else relation.name
    for name in include.columns:
        if name not in columns:
            raise _missing(owner, name)
    for inner in include.includes:
        if related is None:
            raise _missing(owner, inner.relation)
        _check_include(related, inner)


def _missing(owner: str, name: str) -> ObsoleteSpec:
    return ObsoleteSpec(f"the column {name!r} of {owner} does not exist any more")
