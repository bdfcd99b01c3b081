"""The tree of related records that a request may include, one level at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

from exports.admin.builder.state import State
from exports.request.includes import EVERY_COLUMN
from longshore.resources.registry import Resource


@dataclass(frozen=True)
class RelatedField:
    """A field of an included record. path: as in `fields` of a request."""

    path: str
    name: str
    is_chosen: bool


@dataclass(frozen=True)
class RelatedNode:
    """A relation in the tree.

    path: the relations that lead to it, such as `groups.location`.
    many: whether a record may have several of these related records.
    is_included: whether the records are included with all fields.
    is_open: whether something inside is chosen, so that the form must hold `fields` and `children`.
        Otherwise both are loaded when a person opens the node.
    """

    path: str
    name: str
    many: bool
    is_included: bool
    is_open: bool
    fields: tuple[RelatedField, ...] = ()
    children: tuple["RelatedNode", ...] = ()


def related_nodes(resource: Resource, state: State, path: str = "") -> Iterator[RelatedNode]:
    """Yield the relations directly below a path. path: "" for those of the record itself."""
    prefix = f"{path}." if path else ""
    for each in resource.includable:
        if each.startswith(prefix) and "." not in each.removeprefix(prefix):
            yield _node(resource, state, each)


def opened_node(resource: Resource, path: str) -> RelatedNode | None:
    """Return a node with its fields and children; None for a path that cannot be included."""
    if path not in resource.includable:
        return None
    return _node(resource, State(), path, is_open=True)


def _node(
    resource: Resource, state: State, path: str, *, is_open: bool | None = None
) -> RelatedNode:
    *steps, name = path.split(".")
    owner: Resource | None = resource
    for step in steps:
        owner = owner.related(step)[1] if owner else None
    if owner is None:
        raise LookupError(f"{path} does not lead to records of a resource")
    relation, target = owner.related(name)
    is_included = path in state.included or f"{path}.{EVERY_COLUMN}" in state.fields
    inner = [each for each in (*state.included, *state.fields) if each.startswith(f"{path}.")]
    if is_open is None:
        is_open = any(each != f"{path}.{EVERY_COLUMN}" for each in inner)
    if not is_open:
        return RelatedNode(path, name, relation.many, is_included, is_open=False)
    names = target.columns_by_name if target else relation.columns
    fields = tuple(
        RelatedField(f"{path}.{each}", each, f"{path}.{each}" in state.fields) for each in names
    )
    children = tuple(related_nodes(resource, state, path))
    return RelatedNode(path, name, relation.many, is_included, True, fields, children)
